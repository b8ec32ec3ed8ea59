import Archive
import FoundationEssentials
import Synchronization
import TestSupport
import Testing

/// A server with one file, and a program that adds it.
private final class RemoteFile: Sendable {
    struct Content: Sendable {
        var body: [UInt8]
        var tag: String?
        var date: String?
        var status = 200
    }

    let server: ScriptedServer
    let lichen: LichenProgram
    private let folder: TemporaryDirectory
    private let shared = Shared()

    init(_ body: String, tag: String? = nil, date: String? = nil) throws {
        let shared = shared
        shared.value.withLock { $0 = Content(body: Array(body.utf8), tag: tag, date: date) }
        server = try ScriptedServer { request in shared.answer(request) }
        lichen = try LichenProgram()
        folder = try TemporaryDirectory()
    }

    private final class Shared: Sendable {
        let value = Mutex(Content(body: []))

        func answer(_ request: ScriptedServer.Request) -> [ScriptedServer.Step] {
            let content = value.withLock { $0 }
            if request.target.hasPrefix("/moved") {
                return [.answer(302, ["Location": "/files/here"])]
            }
            if request.target.hasPrefix("/circle") {
                return [.answer(302, ["Location": "/circle"])]
            }
            var headers: [String: String] = [:]
            headers["ETag"] = content.tag
            headers["Last-Modified"] = content.date
            if let tag = content.tag, request.headers["if-none-match"] == tag {
                return [.answer(304, headers)]
            }
            if let date = content.date, request.headers["if-modified-since"] == date {
                return [.answer(304, headers)]
            }
            return [.answer(content.status, headers, body: content.body)]
        }
    }

    func change(_ body: (inout Content) -> Void) { shared.value.withLock { body(&$0) } }

    /// Builds `FROM scratch` with an ADD, where HOST stands for the server's; the files of the image.
    func add(_ arguments: String, _ options: [String] = []) throws -> (
        outcome: Command.Outcome, files: [String], times: [Int64]
    ) {
        let dockerfile =
            "FROM scratch\nADD "
            + arguments.split(separator: "HOST", omittingEmptySubsequences: false).joined(
                separator: "http://" + server.host) + "\n"
        let context = try BuildFolder(dockerfile, ["local": "L"])
        let tar = folder.path("\(UInt64.random(in: 0...UInt64.max)).tar")
        let outcome = try lichen.build(context, ["-o", "type=tar,dest=" + tar] + options).run()
        guard outcome.isSuccess else { return (outcome, [], []) }
        let reader = TarReader(MemorySource([UInt8](try Data(contentsOf: URL(filePath: tar)))))
        var files: [String] = []
        var times: [Int64] = []
        while let entry = try reader.next() {
            let line = FileLine(entry, try reader.data(of: entry, limit: 1 << 20))
            if line.path.isEmpty || line.path == "." { continue }
            files.append(line.text)
            times.append(entry.modified.seconds)
        }
        return (outcome, files, times)
    }
}

@Suite struct `An ADD of a URL` {
    private let date = "Sun, 06 Nov 1994 08:49:37 GMT"

    @Test func `is a file of root's with 0600 and the server's time`() throws {
        let remote = try RemoteFile("hello", date: date)
        let added = try remote.add("HOST/files/foobar /t/")
        #expect(added.files == ["d 0755 0:0 t", "f 0600 0:0 t/foobar=hello"])
        #expect(added.times.last == 784_111_777)
    }

    @Test func `is of the beginning of time where the server says none`() throws {
        let added = try RemoteFile("hello").add("HOST/foobar /foobar")
        #expect(added.files == ["f 0600 0:0 foobar=hello"])
        #expect(added.times == [0])
    }

    @Test(arguments: [
        ("HOST/a/b%20c?d=e /t/", "t/b c"), ("HOST/a/ /t/", "t/a"), ("HOST/x /named", "named"),
        ("HOST/moved /t/", "t/moved"), ("HOST /named", "named"), ("HOST/%2e%2e /t/x", "t/x"),
    ])
    func `is called by the last part of its path, or by the destination`(
        arguments: String, path: String
    ) throws {
        let added = try RemoteFile("x").add(arguments)
        #expect(added.files.last == "f 0600 0:0 \(path)=x", "\(added.outcome)")
    }

    @Test(arguments: ["HOST /t/", "HOST/ /", "HOST/.. /t/", "HOST/%2e%2e /t/"])
    func `needs a name for a directory`(arguments: String) throws {
        let added = try RemoteFile("x").add(arguments)
        #expect(added.outcome.status == 65)
        #expect(added.outcome.error.contains("Dockerfile:2: "), "\(added.outcome)")
        #expect(added.outcome.error.contains("has no name"), "\(added.outcome)")
    }

    @Test func `takes owner and mode, and stands beside files and texts`() throws {
        let remote = try RemoteFile("x")
        let added = try remote.add("--chown=1:2 --chmod=640 HOST/x local <<EOF /t/\ny\nEOF")
        #expect(
            added.files == [
                "d 0640 1:2 t", "f 0640 1:2 t/EOF=y\\n", "f 0640 1:2 t/local=L", "f 0640 1:2 t/x=x",
            ], "\(added.outcome)")
    }

    @Test func `is not unpacked, unless that is asked for`() throws {
        let tar = try FileLine.archive(["f 0644 5:6 a=A"])
        let remote = try RemoteFile("")
        remote.change { $0.body = tar }
        #expect(try remote.add("HOST/x.tar /t/").files.last == "f 0600 0:0 t/x.tar=(binary)")
        #expect(
            try remote.add("--unpack=true HOST/x.tar /t/").files
                == ["d 0755 0:0 t", "f 0644 5:6 t/a=A"])
        #expect(
            try remote.add("--unpack=false HOST/x.tar /t/").files.last
                == "f 0600 0:0 t/x.tar=(binary)")
    }

    @Test(
        arguments: [("\"1\"", nil), (nil, "Sun, 06 Nov 1994 08:49:37 GMT")] as [(String?, String?)]
    )
    func `is asked for again, and comes again when it changed`(tag: String?, date: String?) throws {
        let remote = try RemoteFile("one", tag: tag, date: date)
        #expect(try remote.add("HOST/x /x").outcome.error.contains("1 step, 0 cached"))
        let second = try remote.add("HOST/x /x")
        #expect(second.outcome.error.contains("1 step, 1 cached, 0 B down"), "\(second.outcome)")
        #expect(second.files == ["f 0600 0:0 x=one"])
        remote.change {
            $0.body = Array("two".utf8)
            if tag != nil { $0.tag = "\"2\"" } else { $0.date = "Mon, 07 Nov 1994 08:49:37 GMT" }
        }
        let third = try remote.add("HOST/x /x")
        #expect(third.outcome.error.contains("1 step, 0 cached"))
        #expect(third.files == ["f 0600 0:0 x=two"])
        #expect(remote.server.requests.count == 3)
    }

    @Test func `is cached by its bytes, not by its time`() throws {
        let remote = try RemoteFile("one", date: date)
        _ = try remote.add("HOST/x /x")
        remote.change { $0.date = "Mon, 07 Nov 1994 08:49:37 GMT" }
        #expect(try remote.add("HOST/x /x").outcome.error.contains("1 step, 1 cached"))
    }

    @Test func `is not asked for where its checksum is known`() throws {
        let remote = try RemoteFile("hello")
        let sum = "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"
        let options = "--checksum=sha256:\(sum) HOST/x /x"
        #expect(try remote.add(options).files == ["f 0600 0:0 x=hello"])
        #expect(remote.server.requests.count == 1)
        remote.change { $0.status = 500 }
        #expect(try remote.add(options).files == ["f 0600 0:0 x=hello"])
        #expect(remote.server.requests.count == 1)
    }

    @Test func `is refused with another checksum`() throws {
        let sum = String(repeating: "0", count: 64)
        let added = try RemoteFile("hello").add("--checksum=sha256:\(sum) HOST/x /x")
        #expect(added.outcome.status == 65)
        #expect(added.outcome.error.contains("has the digest sha256:2cf24dba"), "\(added.outcome)")
    }

    @Test(arguments: ["md5:abc", "sha256:abc", "abc"])
    func `has no other checksum than SHA-256`(sum: String) throws {
        let added = try RemoteFile("hello").add("--checksum=\(sum) HOST/x /x")
        #expect(added.outcome.status == 65)
        #expect(added.outcome.error.contains("is no checksum of a file"), "\(added.outcome)")
    }

    @Test func `has a checksum alone`() throws {
        let sum = String(repeating: "0", count: 64)
        let added = try RemoteFile("hello").add("--checksum=sha256:\(sum) HOST/x HOST/y /t/")
        #expect(added.outcome.error.contains("for one source alone"), "\(added.outcome)")
    }

    @Test func `ends the build where the server has no such file`() throws {
        let remote = try RemoteFile("no such file")
        remote.change { $0.status = 404 }
        let added = try remote.add("HOST/x /x")
        #expect(added.outcome.status == 69)
        #expect(added.outcome.error.contains("status 404"), "\(added.outcome)")
        #expect(remote.lichen.work.isEmpty)
    }

    @Test func `does not run in circles`() throws {
        let added = try RemoteFile("x").add("HOST/circle /x")
        #expect(added.outcome.status == 69)
        #expect(added.outcome.error.contains("more than 10 redirects"), "\(added.outcome)")
    }

    @Test func `does not take a password on its way`() throws {
        let added = try RemoteFile("x").add("http://user:secret@localhost/x /x")
        #expect(added.outcome.status == 65)
        #expect(added.outcome.error.contains("can't read the URL"), "\(added.outcome)")
    }

    @Test func `lies alone with --link`() throws {
        let added = try RemoteFile("x").add("--link HOST/x /t/")
        #expect(added.files == ["d 0755 0:0 t", "f 0600 0:0 t/x=x"])
    }
}
