import Archive
import Glibc
import Layers
import Linux
import SystemPackage

/// A temporary directory, removed with all that is in it.
final class Scratch {
    let path: String
    private(set) var root: FileDescriptor

    init() {
        var template = Array("/tmp/lichen-layers-XXXXXX".utf8CString)
        path = String(cString: mkdtemp(&template)!)
        root = try! FileDescriptor.open(FilePath(path), .readOnly)
    }

    deinit {
        try? root.close()
        _ = Tool.run("rm", "-rf", path)
    }
}

/// What a program of the system said.
struct Tool {
    var status: CInt
    var text: String

    static func run(_ arguments: String...) -> Tool { shell(arguments) }

    /// Runs a line of shell in `directory`, and traps if it fails: it makes what the test is about.
    static func make(_ script: String, in directory: String) {
        let tool = shell(["sh", "-ec", "cd \(directory)\numask 022\n" + script])
        precondition(tool.status == 0, "\(script): \(tool.text)")
    }

    private static func shell(_ arguments: [String]) -> Tool {
        var ends: [CInt] = [0, 0]
        pipe(&ends)
        defer { close(ends[0]) }
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_adddup2(&actions, ends[1], 1)
        posix_spawn_file_actions_adddup2(&actions, ends[1], 2)
        posix_spawn_file_actions_addclose(&actions, ends[0])
        var pid = pid_t()
        var words = arguments.map { strdup($0) } + [nil]
        defer { for word in words { free(word) } }
        let error = posix_spawnp(&pid, arguments[0], &actions, nil, &words, environ)
        close(ends[1])
        if error != 0 { return Tool(status: -1, text: "") }
        let output = (try? FileDescriptor(rawValue: ends[0]).readAll(limit: 1 << 24)) ?? []
        var status: CInt = 0
        waitpid(pid, &status, 0)
        return Tool(status: status, text: String(decoding: output, as: UTF8.self))
    }
}

extension LayerComposer {
    /// A COPY of one selection.
    mutating func copy(
        _ selection: CopySelection, to destination: String, workingDirectory: String = "/",
        _ attributes: Attributes = Attributes()
    ) throws {
        try copy([selection], to: destination, workingDirectory: workingDirectory, attributes)
    }

    /// An ADD of one selection.
    mutating func add(
        _ selection: CopySelection, to destination: String, _ attributes: Attributes = Attributes()
    ) throws {
        var selection = selection
        selection.unpacksArchives = true
        try copy([selection], to: destination, attributes)
    }
}
