import TestSupport
import Testing

/// What makes a COPY or ADD another step, and what does not.
@Suite struct `The key of a copy` {
    private let lichen: LichenProgram

    init() throws { lichen = try LichenProgram() }

    /// Whether the second of two builds is answered by the store.
    private func isCached(
        _ first: String, then second: String? = nil, _ files: [String: String] = [:],
        with changes: [String: String] = [:], _ options: [String] = []
    ) throws -> Bool {
        let folder = try BuildFolder("FROM scratch\n" + first + "\n", files)
        try lichen.build(folder, ["-t", "key:1"]).run().required()
        try folder.write("Dockerfile", "FROM scratch\n" + (second ?? first) + "\n")
        for (name, text) in changes { try folder.write(name, text) }
        let outcome = try lichen.build(folder, ["-t", "key:1"] + options).run().required()
        return outcome.error.contains("1 step, 1 cached")
    }

    private let files = ["d/a": "1", "d/b": "2", "d/e/c": "3"]

    @Test(arguments: [
        ("COPY --exclude=b d /t", "d/b"), ("COPY --exclude=e d /t", "d/e/c"),
        ("COPY --exclude=e d /t", "d/e/new"), ("COPY --parents d/a /t", "d/b"),
        ("COPY --parents d/**/c /t", "d/new"), ("COPY d/a /t", "d/b"),
    ])
    func `is the same when what stays out changes`(instruction: String, file: String) throws {
        #expect(try isCached(instruction, files, with: [file: "changed"]))
    }

    @Test(arguments: [
        ("COPY --exclude=b d /t", "d/a"), ("COPY --exclude=b d /t", "d/new"),
        ("COPY --parents d/a /t", "d/a"), ("COPY --parents d/**/c /t", "d/new/c"),
        ("COPY --exclude=e --exclude=!e/c d /t", "d/e/c"),
    ])
    func `is another when what is copied changes`(instruction: String, file: String) throws {
        #expect(try !isCached(instruction, files, with: [file: "changed"]))
    }

    @Test(arguments: [
        ("COPY d /t", "ADD d /t"), ("COPY d /t", "COPY --exclude=a d /t"),
        ("COPY d/a /t/", "COPY --parents d/a /t/"),
        ("COPY --parents d/a /t/", "COPY --parents d/./a /t/"),
        ("COPY d /t", "COPY --link d /t"), ("ADD d/a /t", "ADD --unpack=false d/a /t"),
        ("COPY d /t", "COPY d /t/d"), ("COPY --chmod=700 d /t", "COPY --chmod=u=rwx,go= d /t"),
        ("COPY <<a /t/\nx\na", "COPY <<a /t/\ny\na"), ("COPY <<a /t/\nx\na", "COPY <<b /t/\nx\nb"),
        ("COPY <<a <<b /t/\nx\na\ny\nb", "COPY <<b <<a /t/\nx\nb\ny\na"),
        ("ARG X=1\nCOPY <<a /t/\n$X\na", "ARG X=2\nCOPY <<a /t/\n$X\na"),
    ])
    func `is another for another instruction`(first: String, second: String) throws {
        #expect(try !isCached(first, then: second, files))
    }

    @Test(arguments: [
        ("COPY <<a /t/\nx\na", "COPY <<'a' /t/\nx\na"),
        ("COPY <<a /t/\nx\na", "COPY <<-a /t/\n\tx\n\ta"),
        ("ARG X=1\nCOPY <<a /t/\n$X\na", "COPY <<a /t/\n1\na"),
        ("ADD d/a /t", "ADD --unpack=true d/a /t"), ("COPY d /t", "COPY --link=false d /t"),
    ])
    func `is the same for the same files`(first: String, second: String) throws {
        #expect(try isCached(first, then: second, files))
    }
}
