import TestSupport
import Testing

/// What `--link` promises of keys and layers; what it does to files is in the corpus.
@Suite struct `A linked layer` {
    private let lichen: LichenProgram

    init() throws { lichen = try LichenProgram() }

    private func build(_ dockerfile: String, _ files: [String: String]) throws -> String {
        let folder = try BuildFolder(dockerfile, files)
        return try lichen.build(folder, ["-t", "linked:1"]).run().required().error
    }

    @Test func `is known again on another image`() throws {
        let copy = "COPY --link --chown=5:6 a /x/\n"
        _ = try build("FROM scratch\nCOPY b /b\n" + copy, ["a": "A", "b": "1"])
        let second = try build("FROM scratch\nCOPY b /b\n" + copy, ["a": "A", "b": "2"])
        #expect(second.contains("2 steps, 1 cached"), "\(second)")
        let third = try build("FROM scratch\n" + copy, ["a": "A"])
        #expect(third.contains("1 step, 1 cached"), "\(third)")
    }

    @Test func `without the flag is another on another image`() throws {
        let copy = "COPY a /x/\n"
        _ = try build("FROM scratch\nCOPY b /b\n" + copy, ["a": "A", "b": "1"])
        let second = try build("FROM scratch\nCOPY b /b\n" + copy, ["a": "A", "b": "2"])
        #expect(second.contains("2 steps, 0 cached"), "\(second)")
    }

    @Test(arguments: ["--chmod=600", "--chown=7:8", "--exclude=z", "--parents"])
    func `is another with another flag`(flag: String) throws {
        let files = ["d/a": "A", "d/z": "Z"]
        _ = try build("FROM scratch\nCOPY --link d /x/\n", files)
        let second = try build("FROM scratch\nCOPY --link \(flag) d /x/\n", files)
        #expect(second.contains("1 step, 0 cached"), "\(second)")
    }

    @Test func `lets what follows know what it lies on`() throws {
        let rest = "COPY --link a /x\nCOPY --chown=u c /c\n"
        let passwd = ["a": "A", "c": "C", "passwd": "u:x:1:1::/:/bin/sh\n"]
        _ = try build("FROM scratch\nCOPY passwd /etc/passwd\n" + rest, passwd)
        var other = passwd
        other["passwd"] = "u:x:2:2::/:/bin/sh\n"
        let second = try build("FROM scratch\nCOPY passwd /etc/passwd\n" + rest, other)
        #expect(second.contains("3 steps, 1 cached"), "\(second)")
    }

    @Test func `is another where a name has become another number`() throws {
        let rest = "COPY --link --chown=u a /x\n"
        let passwd = ["a": "A", "passwd": "u:x:1:1::/:/bin/sh\n"]
        _ = try build("FROM scratch\nCOPY passwd /etc/passwd\n" + rest, passwd)
        var same = passwd
        same["passwd"] = "v:x:9:9::/:/bin/sh\nu:x:1:1::/:/bin/sh\n"
        let second = try build("FROM scratch\nCOPY passwd /etc/passwd\n" + rest, same)
        #expect(second.contains("2 steps, 1 cached"), "\(second)")
        var other = passwd
        other["passwd"] = "u:x:2:2::/:/bin/sh\n"
        let third = try build("FROM scratch\nCOPY passwd /etc/passwd\n" + rest, other)
        #expect(third.contains("2 steps, 0 cached"), "\(third)")
    }
}
