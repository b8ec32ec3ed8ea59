import Glibc
import SystemPackage

/// The processes of a running step, as its own /proc shows them: all of the sandbox, and nothing else of the machine.
public struct StepProcesses: ~Copyable {
    private let proc: OwnedDescriptor
    private let reader = DirectoryReader()

    /// What the processes take at one instant.
    public struct Usage: Sendable, Equatable {
        /// Processes and threads.
        public var tasks: Int
        /// Resident memory: the sum over all, in which a page counts for each process that maps it.
        public var residentBytes: UInt64
    }

    /// Nil as long as the sandbox does not stand: before its pivot it sees another /proc than its own.
    public init?(of pid: Int32) {
        guard
            let root = try? FileDescriptor.workingDirectory.open(
                "/proc/\(pid)/root", [.pathOnly, .directory], resolve: .system),
            let proc = try? root.borrowed.open("proc", [.readOnly, .directory], resolve: .inRoot),
            let type = try? proc.borrowed.fileSystemType(), type == 0x9fa0,
            let status = try? proc.borrowed.status(),
            let ours = try? FileDescriptor.workingDirectory.status(of: "/proc".utf8),
            status.device != ours.device
        else { return nil }
        self.proc = proc
    }

    /// Nil where it can't be read: all processes have ended.
    public borrowing func usage() -> Usage? {
        let pageBytes = Host.pageBytes
        var usage = Usage(tasks: 0, residentBytes: 0)
        let directory = proc.borrowed
        let isRead: Void? = try? forEachProcess { name in
            // A process may end at any time: then it takes nothing.
            guard let statm = try? directory.open(name + Array("/statm".utf8), .readOnly),
                let text = try? statm.borrowed.readAll(limit: 512)
            else { return }
            let fields = text.split(separator: 32)
            let pages = fields.count > 1 ? UInt64(String(decoding: fields[1], as: UTF8.self)) : nil
            usage.residentBytes += (pages ?? 0) * pageBytes
            // "task" has a link for itself, one for its parent, and one for each thread.
            let links = (try? directory.status(of: name + Array("/task".utf8)))?.linkCount ?? 3
            usage.tasks += max(1, Int(links) - 2)
        }
        return isRead == nil ? nil : usage
    }

    /// The memory that goes with these processes: anonymous and shared pages, each counted once, in memory or swapped out.
    ///
    /// The kernel walks every page table for it: only for when `usage` looks like too much.
    public borrowing func ownedBytes() -> UInt64 {
        var total: UInt64 = 0
        let directory = proc.borrowed
        try? forEachProcess { name in
            guard let file = try? directory.open(name + Array("/smaps_rollup".utf8), .readOnly),
                let text = try? file.borrowed.readAll(limit: 8192)
            else { return }
            for field in ["Pss_Anon:", "Pss_Shmem:", "SwapPss:"] {
                total += (Host.kilobytes(of: field, in: text) ?? 0) * 1024
            }
        }
        return total
    }

    private borrowing func forEachProcess(_ body: ([UInt8]) -> Void) throws {
        var names: [[UInt8]] = []
        try proc.borrowed.seekAbsolutely(to: 0)
        try reader.forEach(in: proc.borrowed) { entry in
            if entry.name.allSatisfy({ $0 >= 48 && $0 <= 57 }) { names.append([UInt8](entry.name)) }
        }
        names.forEach(body)
    }
}
