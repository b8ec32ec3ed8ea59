import CShims
import Glibc
public import SystemPackage

/// The namespaces that a process of Lichen's own is made in.
public enum WorkerNamespaces: Sendable {
    /// A user and a mount namespace: it becomes root there.
    case userAndMount
    /// Mount, PID, network and IPC, in this process's user namespace, which it is root of.
    case isolated
    /// Those of this process, whoever that is.
    case none

    fileprivate var raw: UInt32 {
        switch self {
        case .userAndMount: SBX_WORKER_USER.rawValue
        case .isolated: SBX_WORKER_ISOLATED.rawValue
        case .none: SBX_WORKER_PLAIN.rawValue
        }
    }
}

extension Child {
    /// Clones a child, by default into a user and a mount namespace of its own; it waits there until `proceed()`.
    ///
    /// - Parameters:
    ///   - program: executed as it is, no search.
    ///   - keeping: the one descriptor that the child inherits beside 0, 1 and 2; it arrives as 3.
    ///   - namespaces: what it gets of its own.
    public static func worker(
        program: String, arguments: [String], environment: [String], keeping: FileDescriptor,
        in namespaces: WorkerNamespaces = .userAndMount
    ) throws(Errno) -> Child {
        var raw = sbx_child()
        let result = withCStringArrays(arguments, environment) { arguments, environment in
            program.withCString { program in
                var spec = sbx_worker_spec(
                    namespaces: namespaces.raw, keep: keeping.rawValue, program: program,
                    arguments: arguments,
                    environment: environment)
                return sbx_clone_worker(&spec, &raw)
            }
        }
        _ = try Errno.check(result)
        return Child(raw)
    }

    /// Waits for the execve of a worker. Nil means that it happened.
    public func awaitExec() throws(Errno) -> ChildReport? {
        guard let report = try nextReport() else { return nil }
        return ChildReport(
            step: Child.words(forStep: report.step), errno: Errno(rawValue: report.value),
            isExec: UInt32(report.step) == SBX_STEP_EXECVE.rawValue)
    }

    /// Has the distribution's set-user-id helpers write the id maps.
    ///
    /// newuidmap(1). Throws with the helper's own words where it refuses.
    public func writeIDMapsByHelpers(uid: IDMap, gid: IDMap) throws(SystemError) {
        try Self.runHelper("newuidmap", ["\(pid)"] + uid.helperArguments)
        try Self.runHelper("newgidmap", ["\(pid)"] + gid.helperArguments)
    }

    private static func runHelper(_ name: String, _ arguments: [String]) throws(SystemError) {
        let result = try run(helper: name, arguments)
        if !result.status.isSuccess {
            let words = printable(result.errors.prefix(500).split(separator: 10).first ?? [])
            throw SystemError(
                "\(name) (\(words.isEmpty ? result.status.description : words))", .notPermitted)
        }
    }
}

/// Where the administrator's helpers are looked for: never along the PATH of the environment.
private let helperDirectories = ["/usr/bin", "/usr/local/bin", "/bin", "/run/wrappers/bin"]

/// Whether a helper such as newuidmap is installed.
public func helperPath(_ name: String) -> String? {
    helperDirectories.map { "\($0)/\(name)" }.first { access($0, X_OK) == 0 }
}

/// Runs a helper of the system with an empty environment; what it wrote to standard error is cut at 4 KiB.
private func run(helper name: String, _ arguments: [String]) throws(SystemError) -> (
    status: ExitStatus, errors: [UInt8]
) {
    guard let path = helperPath(name) else {
        throw SystemError("find \(name)", .noSuchFileOrDirectory)
    }
    return try during("run \(name)") { () throws(Errno) in
        let pipe = try Pipe()
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0)
        posix_spawn_file_actions_adddup2(&actions, pipe.writing.raw, 2)
        var pid: pid_t = 0
        let error = withCStringArrays([name] + arguments, []) { arguments, environment in
            posix_spawn(
                &pid, path, &actions, nil, UnsafeMutablePointer(mutating: arguments.cast()),
                UnsafeMutablePointer(mutating: environment.cast()))
        }
        if error != 0 { throw Errno(rawValue: error) }
        let reading = pipe.closeWriting()
        var errors: [UInt8] = []
        do throws(Errno) { errors = try reading.borrowed.readAll(limit: 4096) } catch {
            // More words than we show; the status below is what counts.
        }
        var status: CInt = 0
        while waitpid(pid, &status, 0) < 0 {
            if errno != EINTR { throw Errno(rawValue: errno) }
        }
        return (ExitStatus(waitStatus: status), errors)
    }
}

extension Pipe {
    /// Closes our writing end, so that the reader sees the end of the others'.
    public consuming func closeWriting() -> OwnedDescriptor { reading }

    /// Closes our reading end, so that the writer sees the end of the others'.
    public consuming func closeReading() -> OwnedDescriptor { writing }
}

extension UnsafePointer where Pointee == UnsafePointer<CChar>? {
    /// The same array as C's `char *const[]`, which promises no less.
    func cast() -> UnsafePointer<UnsafeMutablePointer<CChar>?> {
        UnsafeRawPointer(self).assumingMemoryBound(to: UnsafeMutablePointer<CChar>?.self)
    }
}

/// Runs `body` with two NULL-terminated arrays of C strings.
func withCStringArrays<Value>(
    _ first: [String], _ second: [String],
    _ body: (UnsafePointer<UnsafePointer<CChar>?>, UnsafePointer<UnsafePointer<CChar>?>) -> Value
) -> Value {
    let one = CStringArray(first.map { Array($0.utf8) })
    let two = CStringArray(second.map { Array($0.utf8) })
    defer { withExtendedLifetime((one, two)) {} }
    return body(one.pointers, two.pointers)
}

/// A NULL-terminated array of C strings in memory of its own.
final class CStringArray {
    let pointers: UnsafePointer<UnsafePointer<CChar>?>
    private let storage: UnsafeMutablePointer<CChar>
    private let table: UnsafeMutablePointer<UnsafePointer<CChar>?>

    init(_ strings: [[UInt8]]) {
        storage = .allocate(capacity: strings.reduce(1) { $0 + $1.count + 1 })
        table = .allocate(capacity: strings.count + 1)
        var next = storage
        for (index, string) in strings.enumerated() {
            table[index] = UnsafePointer(next)
            for byte in string {
                next.pointee = CChar(bitPattern: byte)
                next += 1
            }
            next.pointee = 0
            next += 1
        }
        table[strings.count] = nil
        pointers = UnsafePointer(table)
    }

    deinit {
        storage.deallocate()
        table.deallocate()
    }
}
