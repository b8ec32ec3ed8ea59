import FoundationEssentials
import Glibc
import TestSupport
import Testing

@Suite(.enabled(if: TestHost.allowsSandboxes, needsSandboxes))
struct `Attack: the store` {
    /// Builds with a store elsewhere.
    private func build(_ scene: Scene, store: String) throws -> Command.Outcome {
        try scene.build("FROM scratch\nLABEL a=b\n", [:], ["--root", store])
    }

    @Test(arguments: [0o770, 0o707, 0o755, 0o1777])
    func `X02 a store that others can open is refused`(mode: mode_t) throws {
        try attack("X02") { scene in
            let store = scene.path("other-store")
            guard mkdir(store, 0o700) == 0, chmod(store, mode) == 0 else {
                throw TestSupportError("mkdir \(store)")
            }
            let outcome = try build(scene, store: store)
            scene.expectRefusal(outcome, status: [64, 65, 71, 74], ["other-store"])
            #expect(try FileManager.default.contentsOfDirectory(atPath: store).isEmpty)
        }
    }

    @Test func `X02 a store of another user is refused`() throws {
        try attack("X02-owner") { scene in
            for place in ["/etc", "/usr/share", "/proc"] {
                let outcome = try build(scene, store: place)
                scene.expectRefusal(outcome, status: [64, 65, 71, 74], [place])
            }
            let link = scene.path("link")
            guard symlink("/usr/share", link) == 0 else { throw TestSupportError("symlink") }
            scene.expectRefusal(try build(scene, store: link), status: [64, 65, 71, 74], ["link"])
        }
    }

    @Test(arguments: [0o777, 0o757])
    func `X02 a store below a directory that everybody may change is refused`(mode: mode_t) throws {
        try attack("X02-above") { scene in
            let open = scene.path("open")
            guard mkdir(open, 0o700) == 0, mkdir(open + "/closed", 0o700) == 0,
                chmod(open, mode) == 0
            else { throw TestSupportError("mkdir \(open)") }
            for store in ["/store", "/closed/store"] {
                let outcome = try build(scene, store: open + store)
                scene.expectRefusal(
                    outcome, status: [74], ["can be replaced", "\(open) may be", "chmod go-w"])
            }
        }
    }

    /// Distributions give each user a group of the same name, and a umask that opens files to it.
    @Test func `X02 a store below a directory of the user's own group is fine`() throws {
        try attack("X02-group") { scene in
            let home = scene.path("group")
            guard mkdir(home, 0o700) == 0, chmod(home, 0o775) == 0 else {
                throw TestSupportError("mkdir \(home)")
            }
            try build(scene, store: home + "/store").required()
        }
    }

    @Test func `X02 a private store in a shared directory is fine`() throws {
        try attack("X02-twin") { scene in
            let shared = scene.path("shared")
            guard mkdir(shared, 0o700) == 0, chmod(shared, 0o1777) == 0 else {
                throw TestSupportError("mkdir \(shared)")
            }
            try build(scene, store: shared + "/store").required()
            #expect(try PathSnapshot(shared + "/store").permissions == 0o700)
        }
    }

    /// A COPY whose source is a link is another one when what it leads to changes.
    @Test func `X03 the cache sees what a COPY sees`() throws {
        try attack("X03") { scene in
            let context = try BuildFolder("", ["d/file": "one"])
            guard symlink("d", context.path + "/link") == 0,
                symlink("file", context.path + "/d/alias") == 0
            else { throw TestSupportError("symlink") }
            func copied() throws -> [String?] {
                let image = try scene.files(
                    "FROM scratch\nCOPY link /l\nCOPY d/alias /a\n", in: context)
                return [
                    image.layers[0].entry("l/file")?.content, image.layers[1].entry("a")?.content,
                ]
            }
            #expect(try copied() == ["one", "one"])
            try context.write("d/file", "two")
            #expect(try copied() == ["two", "two"])
        }
    }
}
