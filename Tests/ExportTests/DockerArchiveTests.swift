import Archive
import Build
import OCI
import Store
import Testing

@Suite struct `A docker archive` {
    let maker: ImageMaker
    let image: ExportableImage

    init() throws {
        maker = try ImageMaker()
        image = try maker.image([
            try maker.layer([.directory("etc"), .file("etc/hostname", "lichen\n")]),
            try maker.layer([.file("hello", "hello\n")], compression: .zstd(level: 3)),
            try maker.layer([.file("plain", "plain\n")], compression: .none),
        ])
    }

    private func export(
        _ image: ExportableImage, to name: String = "image.tar", as names: String...
    ) throws -> String {
        let path = maker.scratch[name]
        try ImageExporter(store: maker.store).export(
            image, to: ImageOutput(kind: .docker, destination: .path(path), isTar: true),
            as: try names.map { try Reference(parsing: $0) })
        return path
    }

    @Test func `is read by skopeo under each of its names`() throws {
        let path = try export(image, as: "example.org/team/hello:1.0", "hello")
        for name in ["example.org/team/hello:1.0", "hello:latest"] {
            let inspected = Tool.run("skopeo", "inspect", "docker-archive:\(path):\(name)")
            #expect(inspected.status == 0, "\(inspected.text)")
            for layer in image.layers {
                #expect(inspected.text.contains(layer.diffID.description))
            }
        }
    }

    @Test func `is an OCI layout too, with the same manifest`() throws {
        let path = try export(image, as: "hello:1.0")
        let copied = Tool.run(
            "skopeo", "copy", "oci-archive:\(path):1.0", "dir:\(maker.scratch["copy"])")
        #expect(copied.status == 0, "\(copied.text)")
        let digest = Tool.run("sha256sum", maker.scratch["copy/manifest.json"]).text.prefix(64)
        #expect(String(digest) == image.manifest.digest.hex)
    }

    @Test func `has an entry in its layout for each name, also of the same tag`() throws {
        let path = try export(image, as: "one:1", "two:1")
        let index = Tool.run("tar", "xOf", path, "index.json").text
        #expect(index.contains("\"io.containerd.image.name\":\"docker.io/library/one:1\""))
        #expect(index.contains("\"io.containerd.image.name\":\"docker.io/library/two:1\""))
    }

    @Test func `without a name is read where it is the only image`() throws {
        let path = try export(image)
        let inspected = Tool.run("skopeo", "inspect", "docker-archive:\(path)")
        #expect(inspected.status == 0, "\(inspected.text)")
        #expect(Tool.run("tar", "xOf", path, "manifest.json").text.contains("\"RepoTags\":[]"))
    }

    @Test func `has the same bytes each time, its documents first and each blob once`() throws {
        let layer = image.layers[0]
        let image = try maker.image([layer, self.image.layers[1], layer])
        let first = try export(image, to: "1.tar", as: "hello")
        let second = try export(image, to: "2.tar", as: "hello")
        #expect(Tool.run("cmp", first, second).status == 0)
        let names = Tool.run("tar", "tf", first).lines
        #expect(
            names.prefix(5) == [
                "manifest.json", "oci-layout", "index.json", "blobs/", "blobs/sha256/",
            ])
        #expect(names.count == 5 + 4)
        #expect(Tool.run("skopeo", "inspect", "docker-archive:\(first)").status == 0)
    }

    @Test(.enabled(if: Podman.works, "no rootless podman here"))
    func `is loaded by podman under its name`() throws {
        let podman = Podman(maker.scratch)
        let path = try export(image, as: "example.org/team/hello:1.0")
        let loaded = podman.run("load", "-i", path)
        #expect(loaded.status == 0, "\(loaded.text)")
        let listed = podman.run("images", "--format", "{{.Repository}}:{{.Tag}}")
        #expect(listed.text.contains("example.org/team/hello:1.0"), "\(listed.text)")
        let inspected = podman.run(
            "inspect", "--format", "{{.RootFS.Layers}} {{.Config.Cmd}}",
            "example.org/team/hello:1.0")
        for layer in image.layers { #expect(inspected.text.contains(layer.diffID.description)) }
    }

    @Test(.enabled(if: Podman.works, "no rootless podman here"))
    func `with two names is loaded by podman under both`() throws {
        let podman = Podman(maker.scratch)
        let path = try export(image, as: "example.org/one:1", "example.org/two:1")
        let loaded = podman.run("load", "-i", path)
        #expect(loaded.status == 0, "\(loaded.text)")
        let listed = podman.run("images", "--format", "{{.Repository}}:{{.Tag}}").text
        #expect(listed.contains("example.org/one:1"), "\(listed)")
        #expect(listed.contains("example.org/two:1"), "\(listed)")
    }
}

/// A rootless podman with a storage of its own. Its trees may be closed to us: it removes them itself.
final class Podman {
    /// It needs subordinate ids and a user namespace: the first command shows whether it gets them.
    static let works: Bool = {
        let scratch = Scratch()
        return Tool.has("podman") && Podman(scratch).run("images").status == 0
    }()

    private let scratch: Scratch

    init(_ scratch: Scratch) { self.scratch = scratch }

    deinit { _ = Tool.run("podman", "unshare", "rm", "-rf", scratch["podman"]) }

    func run(_ arguments: String...) -> Tool {
        Tool.run(
            [
                "podman", "--root", scratch["podman"], "--runroot", scratch["podman-run"],
                "--storage-driver", "vfs", "--cgroup-manager", "cgroupfs",
                "--tmpdir", scratch["podman-tmp"], "--events-backend", "none",
            ] + arguments)
    }
}
