import Archive
import Contexts
import Layers
import Linux
import Testing

@Suite struct `A COPY that can't be` {
    /// The problem of copying `sources` of the context that `script` makes.
    private func fault(
        _ script: String, _ sources: [String], to destination: String, on parent: [[String]] = []
    ) throws -> CopyError? {
        let scratch = Scratch()
        Tool.make(script, in: scratch.path)
        do {
            let selection = try CopySelection(sources, in: try context(scratch))
            _ = try compose(on: try stack(parent)) { try $0.copy(selection, to: destination) }
        } catch let error as CopyError { return error }
        return nil
    }

    @Test func `names the source word that is missing`() throws {
        let error = try #require(try fault(":", ["missing"], to: "/"))
        #expect(error.problem == .missingSource)
        #expect(error.description == "missing: no such file or directory")
    }

    @Test(arguments: ["../y", "a/../../y", "/../y"])
    func `has a source outside the context that is not inside either`(word: String) throws {
        let error = try #require(try fault("mkdir a; : >x", [word], to: "/"))
        #expect(error.problem == .outsideContext)
        #expect(error.word == word)
    }

    @Test(arguments: ["/etc/passwd", "../../../etc/passwd"])
    func `follows a link out of the context to nothing`(target: String) throws {
        let error = try #require(try fault("ln -s \(target) l", ["l"], to: "/"))
        #expect(
            error.problem
                == .brokenLink(link: Array("l".utf8), target: Array(target.utf8)))
    }

    @Test func `runs in circles`() throws {
        #expect(try fault("ln -s b a; ln -s a b", ["a"], to: "/")?.problem == .tooManyLinks)
    }

    @Test func `goes through a file of the context`() throws {
        #expect(try fault(": >a", ["a/b"], to: "/")?.problem == .notDirectory)
    }

    @Test(arguments: ["[", "a[", "x/[b-", "a*\\", "[]"])
    func `has a pattern that does not end`(word: String) throws {
        // Without a wildcard a backslash is a name.
        #expect(try fault(": >a", [word], to: "/")?.problem == .badPattern)
    }

    @Test func `has several files for one name`() throws {
        let error = try #require(try fault(": >a; : >b", ["a", "b"], to: "/t"))
        #expect(error.problem == .needsDirectory)
        #expect(error.description.contains("end the destination with a slash"))
    }

    @Test func `has several matches for one name`() throws {
        #expect(try fault(": >a; : >b", ["?"], to: "/t")?.problem == .needsDirectory)
    }

    @Test func `puts a file on a directory`() throws {
        let error = try fault(
            "mkdir d; : >d/x", ["d"], to: "/t", on: [["d 0755 0:0 t", "d 0755 0:0 t/x"]])
        #expect(error?.problem == .replacesDirectory)
        #expect(error?.path == Array("t/x".utf8))
    }

    @Test func `puts a file into a directory that has a directory of its name`() throws {
        let error = try fault(": >x", ["x"], to: "/t/", on: [["d 0755 0:0 t", "d 0755 0:0 t/x"]])
        #expect(error?.problem == .replacesDirectory)
    }

    @Test func `puts a directory on a file`() throws {
        #expect(
            try fault("mkdir d", ["d"], to: "/t", on: [["f 0644 0:0 t"]])?.problem == .replacesFile)
    }

    @Test func `puts a nested directory on a link, even to a directory`() throws {
        let error = try fault(
            "mkdir -p d/bin; : >d/bin/x", ["d"], to: "/",
            on: [["d 0755 0:0 usr", "d 0755 0:0 usr/bin", "l bin -> usr/bin"]])
        #expect(error?.problem == .replacesFile)
        #expect(error?.description == "d: a directory can't replace /bin, which is no directory")
    }

    @Test func `goes through a file of the image`() throws {
        #expect(
            try fault(": >a", ["a"], to: "/t/x/y", on: [["f 0644 0:0 t"]])?.problem == .notDirectory
        )
    }

    @Test func `ends with a slash at a file of the image`() throws {
        #expect(
            try fault(": >a", ["a"], to: "/t/", on: [["f 0644 0:0 t"]])?.problem == .notDirectory)
    }

    @Test func `meets links in circles in the image`() throws {
        #expect(
            try fault(": >a", ["a"], to: "/x/", on: [["l x -> y", "l y -> x"]])?.problem
                == .tooManyLinks)
    }

    @Test(arguments: [".wh.x", ".wh..wh..opq"])
    func `has a name that means a removal`(name: String) throws {
        #expect(
            try fault("mkdir d; : >d/\(name)", ["d"], to: "/t/")?.problem == .whiteoutName)
        #expect(try fault(": >a", ["a"], to: "/\(name)")?.problem == .whiteoutName)
    }

    @Test func `reads a file that changed since its digest`() throws {
        let scratch = Scratch()
        Tool.make("echo one >a", in: scratch.path)
        let selection = try CopySelection(["a"], in: try context(scratch))
        Tool.make("echo two >a", in: scratch.path)
        #expect(
            problem { _ = try compose { try $0.copy(selection, to: "/") } } == .changed)
    }

    @Test func `reads a file that was replaced since its digest`() throws {
        let scratch = Scratch()
        Tool.make("echo one >a", in: scratch.path)
        let selection = try CopySelection(["a"], in: try context(scratch))
        Tool.make("cp -p a b; mv b a", in: scratch.path)
        #expect(
            problem { _ = try compose { try $0.copy(selection, to: "/") } } == .changed)
    }

    @Test func `reads a file that has become a link out of the context`() throws {
        let scratch = Scratch()
        Tool.make("echo one >a", in: scratch.path)
        let selection = try CopySelection(["a"], in: try context(scratch))
        Tool.make("ln -sf /etc/passwd a", in: scratch.path)
        let error = problem { _ = try compose { try $0.copy(selection, to: "/") } }
        guard case .system = error else {
            Issue.record("\(String(describing: error))")
            return
        }
    }
}

@Suite struct `What a COPY leaves out` {
    @Test func `is said of a socket`() throws {
        let scratch = Scratch()
        Tool.make(
            "mkdir d; perl -MIO::Socket::UNIX -e 'IO::Socket::UNIX->new(Local=>\"d/s\",Listen=>1)'",
            in: scratch.path)
        let selection = try CopySelection(["d"], in: try context(scratch))
        #expect(selection.notices == [.socketLeftOut(path: Array("d/s".utf8))])
        #expect(try compose { try $0.copy(selection, to: "/t/") }.lines == ["d 0755 0:0 t"])
    }

    @Test(arguments: ["../x", "a/../../x", "/../x"])
    func `is said of a path that leads out of the context`(word: String) throws {
        let scratch = Scratch()
        Tool.make("mkdir a; echo -n X >x", in: scratch.path)
        let selection = try CopySelection([word], in: try context(scratch))
        #expect(selection.notices == [.leavesContext(word: word)])
        let layer = try compose { try $0.copy(selection, to: "/t") }
        #expect(layer.lines == ["f 0644 0:0 t=X"])
    }

    @Test func `is said of a pattern without a match`() throws {
        let scratch = Scratch()
        let selection = try CopySelection(["no*"], in: try context(scratch))
        #expect(selection.notices == [.noMatch(word: "no*")])
        #expect(selection.isEmpty)
    }
}
