import Linux
import SystemPackage

/// How much memory Lichen itself took at most.
///
/// The highest resident sets of this process and of its children that still run, added: with no RUN under way, the only
/// child is the worker. Each has its peak at another time, so that the sum is an upper bound.
public enum PeakMemory {
    /// Nil where `/proc` doesn't tell.
    public static func bytes() -> Int64? {
        guard let own = bytes(of: "self") else { return nil }
        return own + children().reduce(0) { $0 + (bytes(of: $1) ?? 0) }
    }

    /// Children are listed by the thread that made them. A kernel without that list shows none.
    private static func children() -> [String] {
        let tasks = "/proc/self/task"
        guard
            let folder = try? FileDescriptor.workingDirectory.open(
                tasks, [.readOnly, .directory], resolve: .system),
            let threads = try? DirectoryReader().names(in: folder.borrowed)
        else { return [] }
        return threads.flatMap { thread in
            let name = String(decoding: thread, as: UTF8.self)
            return text(of: "\(tasks)/\(name)/children")?.split(separator: " ").map(String.init)
                ?? []
        }
    }

    /// VmHWM of `/proc/PROCESS/status`; proc_pid_status(5).
    private static func bytes(of process: String) -> Int64? {
        let lines = text(of: "/proc/\(process)/status")?.split(separator: "\n") ?? []
        guard let line = lines.first(where: { $0.hasPrefix("VmHWM:") }) else { return nil }
        let words = line.split { $0 == " " || $0 == "\t" }
        guard words.count == 3, words[2] == "kB", let count = Int64(words[1]) else { return nil }
        return count * 1024
    }

    private static func text(of path: String) -> String? {
        guard
            let file = try? FileDescriptor.workingDirectory.open(path, .readOnly, resolve: .system),
            let bytes = try? file.borrowed.readAll(limit: 1 << 16)
        else { return nil }
        return String(decoding: bytes, as: UTF8.self)
    }
}
