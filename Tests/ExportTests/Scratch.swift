import Archive
import Glibc
import SystemPackage

/// A temporary directory, removed with all that is in it.
final class Scratch {
    let path: String

    init() {
        var template = Array("/tmp/lichen-export-XXXXXX".utf8CString)
        path = String(cString: mkdtemp(&template)!)
    }

    deinit { _ = Tool.run("rm", "-rf", path) }

    /// A path in it, where nothing is yet.
    subscript(name: String) -> String { "\(path)/\(name)" }
}

/// What a program of the system said.
struct Tool {
    var status: CInt
    var output: [UInt8]
    var text: String { String(decoding: output, as: UTF8.self) }
    var lines: [String] { text.split(separator: "\n").map(String.init) }

    /// Runs `arguments`, looked up in PATH, and waits. Standard error joins the output.
    static func run(_ arguments: String...) -> Tool { run(arguments) }

    static func run(_ arguments: [String]) -> Tool {
        var ends: [CInt] = [0, 0]
        pipe(&ends)
        let (reading, writing) = (ends[0], ends[1])
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        defer { close(reading) }
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_adddup2(&actions, writing, 1)
        posix_spawn_file_actions_adddup2(&actions, writing, 2)
        var pid = pid_t()
        var words = arguments.map { strdup($0) } + [nil]
        defer { for word in words { free(word) } }
        let error = posix_spawnp(&pid, arguments[0], &actions, nil, &words, environ)
        close(writing)
        if error != 0 { return Tool(status: -1, output: []) }
        var output: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 65536)
        while true {
            let count = read(reading, &buffer, buffer.count)
            if count <= 0 { break }
            output += buffer[..<count]
        }
        var status: CInt = 0
        waitpid(pid, &status, 0)
        return Tool(status: status, output: output)
    }

    /// Whether a program is installed here.
    static func has(_ program: String) -> Bool { run("which", program).status == 0 }
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
        FilePath(path), .writeOnly, options: [.create, .truncate], permissions: .ownerReadWrite)
    try file.closeAfter { _ = try file.writeAll(text.utf8) }
}
