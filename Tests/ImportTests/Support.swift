import Build
import Glibc
import OCI
import Store
import Synchronization
import SystemPackage
import Testing

/// A temporary directory with a store in it, and builds in it. Removed with all that is in it.
final class Workshop: Sendable {
    let path: String
    let store: Store
    private let events = Mutex<[String]>([])

    init() throws {
        var template = Array("/tmp/lichen-import-XXXXXX".utf8CString)
        path = String(cString: mkdtemp(&template)!)
        store = try Store(path: "\(path)/store")
    }

    deinit { _ = Tool.run("rm", "-rf", path) }

    subscript(name: String) -> String { "\(path)/\(name)" }

    /// A directory with these files.
    func directory(_ name: String, _ files: [String: String]) throws -> String {
        let path = self[name]
        for (file, text) in files {
            let parent = "\(path)/\(file)".split(separator: "/").dropLast().joined(separator: "/")
            #expect(Tool.run("mkdir", "-p", "/\(parent)").status == 0)
            try write(text, to: "\(path)/\(file)")
        }
        return path
    }

    /// Builds a Dockerfile in a context of these files. No step of these tests needs a namespace.
    func build(
        _ dockerfile: String, _ files: [String: String] = [:], in store: Store? = nil,
        _ change: (inout BuildRequest) -> Void = { _ in }
    ) async throws -> BuildResult {
        let name = "context-\(UInt32.random(in: 0 ... .max))"
        let context = try directory(
            name, files.merging(["Dockerfile": dockerfile, ".dockerignore": "Dockerfile"]) { $1 })
        var request = BuildRequest(context: .directory(context))
        request.sourceDateEpoch = 1_700_000_000
        request.pull = .never
        change(&request)
        let builder = Builder(store: store ?? self.store) { event in
            if case .warning(let text) = event { self.events.withLock { $0.append(text) } }
        }
        return try await builder.build(request)
    }

    var warnings: [String] { events.withLock { $0 } }

    /// Builds on named contexts, and gives the files of the image: path and text.
    func files(
        of dockerfile: String, _ contexts: [String: NamedContext],
        _ change: (inout BuildRequest) -> Void = { _ in }
    ) async throws -> [String: String] {
        let output = self["output-\(UInt32.random(in: 0 ... .max))"]
        _ = try await build(dockerfile) { request in
            request.namedContexts = contexts
            request.outputs = [
                ImageOutput(kind: .local, destination: .path(output), isTar: false)
            ]
            change(&request)
        }
        var files: [String: String] = [:]
        for line in Tool.run("find", output, "-type", "f", "-printf", "%P\n").lines {
            files[line] = try contents("\(output)/\(line)")
        }
        return files
    }

    /// The error of a build on `base` that fails.
    func refusal(of base: NamedContext, platform: Platform = .host) async -> BuildError? {
        do {
            _ = try await build("FROM base\n") { request in
                request.namedContexts = ["base": base]
                request.platforms = [platform]
            }
            return nil
        } catch { return error as? BuildError }
    }
}

extension NamedContext {
    static func stored(
        _ format: StoredImage.Format, _ path: String, _ selector: StoredImage.Selector? = nil
    ) -> NamedContext {
        .stored(StoredImage(format: format, path: path, selector: selector))
    }
}

/// What a program of the system said.
struct Tool {
    var status: CInt
    var text: String
    var lines: [String] { text.split(separator: "\n").map(String.init) }

    /// Runs `arguments`, looked up in PATH, and waits. Standard error joins the output.
    static func run(_ arguments: String...) -> Tool { run(arguments) }

    static func run(_ arguments: [String]) -> Tool {
        var ends: [CInt] = [0, 0]
        pipe(&ends)
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_adddup2(&actions, ends[1], 1)
        posix_spawn_file_actions_adddup2(&actions, ends[1], 2)
        var pid = pid_t()
        var words = arguments.map { strdup($0) } + [nil]
        defer { for word in words { free(word) } }
        let error = posix_spawnp(&pid, arguments[0], &actions, nil, &words, environ)
        close(ends[1])
        defer { close(ends[0]) }
        if error != 0 { return Tool(status: -1, text: "no \(arguments[0])") }
        var output: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 65536)
        while true {
            let count = read(ends[0], &buffer, buffer.count)
            if count <= 0 { break }
            output += buffer[..<count]
        }
        var status: CInt = 0
        waitpid(pid, &status, 0)
        return Tool(status: status, text: String(decoding: output, as: UTF8.self))
    }
}

/// The whole of a small file.
func contents(_ path: String) throws -> String {
    let file = try FileDescriptor.open(FilePath(path), .readOnly)
    return try file.closeAfter {
        var bytes = [UInt8](repeating: 0, count: 1 << 20)
        let count = try bytes.withUnsafeMutableBytes { try file.read(into: $0) }
        return String(decoding: bytes[..<count], as: UTF8.self)
    }
}

func write(_ text: String, to path: String) throws {
    let file = try FileDescriptor.open(
        FilePath(path), .writeOnly, options: [.create, .truncate],
        permissions: FilePermissions(rawValue: 0o644))
    try file.closeAfter { _ = try file.writeAll(text.utf8) }
}
