import Contexts
import Layers
import Linux
import Testing

/// Includes what is not listed; a listed directory may hold what is let in again.
private struct Hiding: PathFilter {
    var hidden: Set<String>
    var shown: Set<String> = []

    func includes(_ path: [UInt8]) -> Bool {
        let text = String(decoding: path, as: UTF8.self)
        if shown.contains(text) { return true }
        return !hidden.contains { text == $0 || text.hasPrefix($0 + "/") }
    }

    func mayInclude(below directory: [UInt8]) -> Bool {
        let text = String(decoding: directory, as: UTF8.self)
        return shown.contains { $0.hasPrefix(text + "/") }
    }
}

@Suite struct `The files of a context` {
    private let scratch = Scratch()

    private func source(_ filter: Hiding? = nil) throws -> DirectorySource {
        try scratch.directory("d")
        try scratch.directory("d/e")
        try scratch.file("d/e/keep")
        try scratch.file("d/e/drop")
        try scratch.file("a", "A")
        try scratch.root.makeSymbolicLink("l".utf8, to: "/etc".utf8)
        return try ContextDirectory(scratch.path).source(filter: filter)
    }

    private func names(_ source: DirectorySource, _ path: String = "") throws -> [String] {
        try source.children(of: TreePath(path.utf8)!).map {
            String(decoding: $0.name, as: UTF8.self)
        }
    }

    @Test func `are sorted`() throws {
        let source = try source()
        #expect(try names(source) == ["a", "d", "l"])
    }

    @Test func `are not what an ignore file names`() throws {
        let source = try source(Hiding(hidden: ["a", "d"]))
        #expect(try names(source) == ["l"])
        #expect(try source.status(of: TreePath("a".utf8)!) == nil)
        #expect(try source.status(of: TreePath("d/e/keep".utf8)!) == nil)
    }

    @Test func `have the directories of what is let in again`() throws {
        let source = try source(Hiding(hidden: ["d"], shown: ["d/e/keep"]))
        #expect(try names(source) == ["a", "d", "l"])
        #expect(try names(source, "d/e") == ["keep"])
    }

    @Test func `lack a directory in which nothing is let in again`() throws {
        let source = try source(Hiding(hidden: ["d"], shown: ["d/e/other"]))
        #expect(try names(source) == ["a", "l"])
    }

    @Test func `never lie behind a link`() throws {
        let source = try source()
        #expect(throws: SystemError.self) { _ = try source.status(of: TreePath("l/passwd".utf8)!) }
        #expect(throws: SystemError.self) { _ = try source.open(TreePath("l/passwd".utf8)!) }
        #expect(try source.linkTarget(of: TreePath("l".utf8)!) == Array("/etc".utf8))
    }

    @Test func `can't be had where there is no directory`() throws {
        let scratch = Scratch()
        try scratch.file("a")
        #expect(throws: SystemError.self) { _ = try ContextDirectory(scratch.path + "/a") }
        #expect(throws: SystemError.self) { _ = try ContextDirectory(scratch.path + "/b") }
    }
}

@Suite struct `The ignore file` {
    @Test func `of the Dockerfile comes before the context's`() throws {
        let scratch = Scratch()
        let context = try ContextDirectory(scratch.path)
        #expect(try context.ignoreText(dockerfile: "Dockerfile") == nil)
        try scratch.file(".dockerignore", "general")
        #expect(
            try context.ignoreText(dockerfile: "Dockerfile")
                == .init(name: ".dockerignore", bytes: Array("general".utf8)))
        try scratch.file("Dockerfile.dockerignore", "special")
        #expect(
            try context.ignoreText(dockerfile: "Dockerfile")
                == .init(name: "Dockerfile.dockerignore", bytes: Array("special".utf8)))
        #expect(try context.ignoreText(dockerfile: nil)?.name == ".dockerignore")
    }

    @Test func `may be a link within the context, and leads nowhere else`() throws {
        let scratch = Scratch()
        try scratch.file("shared", "text")
        try scratch.root.makeSymbolicLink(".dockerignore".utf8, to: "/shared".utf8)
        let context = try ContextDirectory(scratch.path)
        #expect(try context.ignoreText(dockerfile: nil)?.bytes == Array("text".utf8))
    }
}
