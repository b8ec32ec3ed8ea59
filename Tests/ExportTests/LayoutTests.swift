import Build
import OCI
import Store
import Testing

@Suite struct `An OCI layout` {
    let maker: ImageMaker
    let exporter: ImageExporter
    let image: ExportableImage

    init() throws {
        maker = try ImageMaker()
        exporter = ImageExporter(store: maker.store)
        image = try maker.image([
            [.directory("etc"), .file("etc/hostname", "lichen\n")], [.file("hello", "hello\n")],
        ])
    }

    private func export(
        _ image: ExportableImage, to path: String, as names: String..., isTar: Bool = false
    ) throws {
        try exporter.export(
            image, to: ImageOutput(kind: .oci, destination: .path(path), isTar: isTar),
            as: try names.map { try Reference(parsing: $0) })
    }

    @Test func `is read by skopeo and unpacked by umoci`() throws {
        let path = maker.scratch["layout"]
        try export(image, to: path, as: "example.org/team/hello:1.0")
        let inspected = Tool.run("skopeo", "inspect", "oci:\(path):1.0")
        #expect(inspected.status == 0, "\(inspected.text)")
        #expect(inspected.text.contains(image.manifest.digest.description))
        let bundle = maker.scratch["bundle"]
        let unpacked = Tool.run("umoci", "unpack", "--rootless", "--image", "\(path):1.0", bundle)
        #expect(unpacked.status == 0, "\(unpacked.text)")
        #expect(try contents("\(bundle)/rootfs/hello") == "hello\n")
        #expect(try contents("\(bundle)/rootfs/etc/hostname") == "lichen\n")
    }

    @Test func `of an image without a tag is read where it is the only one`() throws {
        let path = maker.scratch["layout"]
        try export(image, to: path)
        try export(image, to: path)
        #expect(Tool.run("skopeo", "inspect", "oci:\(path)").status == 0)
    }

    @Test func `keeps its other images, and what it does not know of them`() throws {
        let path = maker.scratch["layout"]
        try export(image, to: path, as: "hello:1")
        let index = try contents("\(path)/index.json")
        let foreign = index.replacing(
            "\"manifests\":[{",
            with: "\"x-note\":[1,2.5,null,true],\"manifests\":[{\"data\":\"e30=\",")
        #expect(foreign != index)
        try write(foreign, to: "\(path)/index.json")
        let other = try maker.image([[.file("other", "x")]])
        try export(other, to: path, as: "hello:2", "elsewhere/hello:3")
        let after = try contents("\(path)/index.json")
        #expect(after.contains("\"x-note\":[1,2.5,null,true]"))
        #expect(after.contains("\"data\":\"e30=\""))
        for (tag, wanted) in [("1", image), ("2", other), ("3", other)] {
            let inspected = Tool.run("skopeo", "inspect", "oci:\(path):\(tag)")
            #expect(inspected.text.contains(wanted.manifest.digest.description))
        }
    }

    @Test func `gives a tag to the image that came last`() throws {
        let path = maker.scratch["layout"]
        try export(image, to: path, as: "hello")
        let other = try maker.image([[.file("other", "x")]])
        try export(other, to: path, as: "hello")
        let inspected = Tool.run("skopeo", "inspect", "oci:\(path):latest")
        #expect(inspected.text.contains(other.manifest.digest.description))
    }

    @Test func `replaces a blob that is not whole`() throws {
        let path = maker.scratch["layout"]
        try export(image, to: path, as: "hello")
        try write("cut", to: "\(path)/blobs/sha256/\(image.layers[0].blob.digest.hex)")
        try export(image, to: path, as: "hello")
        let copied = Tool.run(
            "skopeo", "copy", "oci:\(path):latest", "dir:\(maker.scratch["copy"])")
        #expect(copied.status == 0, "\(copied.text)")
    }

    @Test func `is refused in a directory that holds something else`() throws {
        let path = maker.scratch["full"]
        #expect(Tool.run("mkdir", path).status == 0)
        try write("mine", to: "\(path)/notes")
        #expect(throws: ExportError.self) { try export(image, to: path) }
        #expect(Tool.run("ls", "-A", path).lines == ["notes"])
    }

    @Test func `goes into an empty directory, and leaves it empty when it fails`() throws {
        let path = maker.scratch["empty"]
        #expect(Tool.run("mkdir", path).status == 0)
        struct Stop: Error {}
        let stopping = ImageExporter(store: maker.store, checkCancellation: { throw Stop() })
        let output = ImageOutput(kind: .oci, destination: .path(path), isTar: false)
        #expect(throws: Stop.self) { try stopping.export(image, to: output) }
        #expect(Tool.run("ls", "-A", path).lines == [])
        try export(image, to: path, as: "hello")
        #expect(Tool.run("skopeo", "inspect", "oci:\(path):latest").status == 0)
    }

    @Test func `that fails leaves nothing where nothing was`() throws {
        try maker.store.removeBlob(image.layers[1].blob.digest)
        let path = maker.scratch["parent/layout"]
        #expect(
            throws: ExportError(
                .missingBlob(image.layers[1].blob.digest), hint: "pull the image again")
        ) {
            try export(image, to: path)
        }
        #expect(Tool.run("ls", "-A", maker.scratch.path).lines == ["store"])
    }
}

@Suite struct `An OCI layout in a tar` {
    let maker: ImageMaker
    let image: ExportableImage

    init() throws {
        maker = try ImageMaker()
        image = try maker.image([[.file("a", "1")], [.file("b", "2")], [.file("a", "1")]])
    }

    private func export(to path: String) throws {
        try ImageExporter(store: maker.store).export(
            image, to: ImageOutput(kind: .oci, destination: .path(path), isTar: true),
            as: [try Reference(parsing: "hello:1.0")])
    }

    @Test func `is copied by skopeo`() throws {
        let path = maker.scratch["image.tar"]
        try export(to: path)
        let copied = Tool.run(
            "skopeo", "copy", "oci-archive:\(path):1.0", "dir:\(maker.scratch["copy"])")
        #expect(copied.status == 0, "\(copied.text)")
        let digest = Tool.run("sha256sum", maker.scratch["copy/manifest.json"]).text.prefix(64)
        #expect(String(digest) == image.manifest.digest.hex)
    }

    @Test func `has the same bytes each time, and its parts in order`() throws {
        try export(to: maker.scratch["1.tar"])
        try export(to: maker.scratch["2.tar"])
        #expect(Tool.run("cmp", maker.scratch["1.tar"], maker.scratch["2.tar"]).status == 0)
        let names = Tool.run("tar", "tf", maker.scratch["1.tar"]).lines
        #expect(names.prefix(4) == ["oci-layout", "index.json", "blobs/", "blobs/sha256/"])
        // Two of the three layers are one blob.
        #expect(names.count == 4 + 4)
    }

    @Test func `replaces a file, also behind a link, and makes missing directories`() throws {
        try write("old", to: maker.scratch["old"])
        #expect(Tool.run("ln", "-s", "old", maker.scratch["link"]).status == 0)
        try export(to: maker.scratch["link"])
        #expect(Tool.run("tar", "tf", maker.scratch["old"]).status == 0)
        #expect(Tool.run("test", "-L", maker.scratch["link"]).status == 0)
        try export(to: maker.scratch["new/dir/image.tar"])
        #expect(Tool.run("ls", "-A", maker.scratch["new/dir"]).lines == ["image.tar"])
    }

    @Test func `is written to a device as it stands`() throws {
        try export(to: "/dev/null")
        #expect(Tool.run("test", "-c", "/dev/null").status == 0)
    }

    @Test func `is refused where a directory is`() throws {
        #expect(throws: ExportError.self) { try export(to: maker.scratch.path) }
    }

    @Test func `that fails leaves the file that was there`() throws {
        let path = maker.scratch["image.tar"]
        try write("old", to: path)
        let blob = "\(maker.store.pathForMessages)/blobs/sha256/\(image.layers[1].blob.digest.hex)"
        try write("short", to: blob)
        #expect(throws: ExportError.self) { try export(to: path) }
        #expect(try contents(path) == "old")
        #expect(Tool.run("ls", "-A", maker.scratch.path).lines == ["image.tar", "store"])
    }
}
