import CAttack
import Glibc
import Linux
import SystemPackage

/// What of this user the attacks are aimed at, made for them: a file, an open descriptor, a process, a socket, memory, a key.
final class Targets: Sendable {
    /// Of the socket and the key, and in the command line of what a step leaves behind. It occurs nowhere else.
    let name: String
    /// The path of a file that only this user may read.
    let file: String
    let process, memory, key: Result<Int32, Errno>
    let socketObstacle: Errno?
    private let socket: OwnedDescriptor?
    /// The file, open and not to be closed by an execve: as a careless program above us would leave it.
    private let inherited: OwnedDescriptor
    private let before: FileStatus
    private let program: FileStatus

    /// - Parameter directory: of this run; the file is made in it.
    init(in directory: FileDescriptor, path: String) throws(Errno) {
        name = "lichen-attack-\(randomName())"
        file = path + "/secret"
        let written = try directory.open(
            "secret", [.create, .exclusive, .readWrite], mode: 0o600)
        try written.borrowed.writeFully(Array(name.utf8))
        let raw = fcntl(written.borrowed.rawValue, F_DUPFD, 100)
        if raw < 0 { throw Errno(rawValue: errno) }
        inherited = OwnedDescriptor(owning: raw)
        before = try directory.status(of: "secret".utf8)
        program = try Self.ownProgram()
        process = Self.made(atk_make_process())
        memory = Self.made(atk_make_memory())
        key = Self.made(atk_make_key(name))
        switch Self.made(atk_make_socket(name)) {
        case .success(let raw):
            socket = OwnedDescriptor(owning: raw)
            socketObstacle = nil
        case .failure(let reason):
            socket = nil
            socketObstacle = reason
        }
    }

    deinit {
        _ = endRemains()
        if case .success(let id) = process { atk_end_process(id) }
        if case .success(let id) = memory { atk_remove_memory(id) }
        if case .success(let id) = key { atk_remove_key(id) }
    }

    private static func made(_ result: Int32) -> Result<Int32, Errno> {
        result < 0 ? .failure(Errno(rawValue: -result)) : .success(result)
    }

    private static func ownProgram() throws(Errno) -> FileStatus {
        let file = try FileDescriptor.workingDirectory.open(
            "/proc/self/exe", .pathOnly, resolve: .system)
        return try file.borrowed.status()
    }

    /// An id as an argument; what can't be aimed at is not tried.
    func word(_ target: Result<Int32, Errno>) -> String {
        if case .success(let id) = target { "\(id)" } else { "0" }
    }

    // MARK: - Afterwards

    /// What was done to the file; empty where nothing was.
    func harmToFile(in directory: FileDescriptor) -> [String] {
        let now = try? directory.status(of: "secret".utf8)
        let isSame = now?.inode == before.inode && now?.changed == before.changed
        return isSame ? [] : ["the file \(file) was changed"]
    }

    func harmToProcess() -> [String] {
        guard case .success(let id) = process, atk_is_well(id) == 0 else { return [] }
        return ["process \(id) was stopped or ended"]
    }

    /// Whether the file of this program is another than it was.
    func harmToProgram() -> [String] {
        guard let now = try? Self.ownProgram(), now.inode == program.inode,
            now.modified == program.modified, now.size == program.size
        else { return ["the builder's program was changed"] }
        return []
    }

    /// Processes that carry the name: a step left them behind. They are ended.
    func endRemains() -> [String] {
        // On their way out they can be seen for a moment longer than their parent.
        for _ in 0..<50 where !Self.processes(holding: name).isEmpty { pause(seconds: 0.01) }
        let remains = Self.processes(holding: name)
        for process in remains { kill(process, SIGKILL) }
        return remains.map { "process \($0) goes on" }
    }

    private static func processes(holding word: String) -> [pid_t] {
        guard
            let proc = try? FileDescriptor.workingDirectory.open(
                "/proc", [.readOnly, .directory], resolve: .system),
            let names = try? DirectoryReader().names(in: proc.borrowed)
        else { return [] }
        let ids = names.compactMap { pid_t(String(decoding: $0, as: UTF8.self)) }
        return ids.filter { id in
            // Gone by now, or somebody else's.
            guard id != getpid(), id > 1,
                let file = try? proc.borrowed.open(
                    "\(id)/cmdline", .readOnly, resolve: .beneath),
                let line = try? file.borrowed.readAll(limit: 1 << 16)
            else { return false }
            return String(decoding: line, as: UTF8.self).contains(word)
        }
    }
}
