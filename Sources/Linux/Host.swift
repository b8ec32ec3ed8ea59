import CShims
import Glibc
public import SystemPackage

/// Facts of the running machine.
public enum Host {
    /// How many processors this process may use: its affinity, and the quota of its cgroup where one is set.
    public static var processorCount: Int {
        let affinity = Int(sbx_processor_count())
        guard let quota = processorQuota else { return affinity }
        return max(1, min(affinity, quota))
    }

    /// `cpu.max` of our own cgroup, rounded up; nil where there is no limit or no cgroup v2.
    private static var processorQuota: Int? {
        // No file means no limit.
        guard
            let file = try? FileDescriptor.workingDirectory.open(
                "/sys/fs/cgroup/cpu.max", .readOnly, resolve: .system),
            let bytes = try? file.borrowed.readAll(limit: 256)
        else { return nil }
        let fields = bytes.split(whereSeparator: { $0 == 32 || $0 == 10 }).map {
            String(decoding: $0, as: UTF8.self)
        }
        guard fields.count == 2, let quota = Int(fields[0]), let period = Int(fields[1]), period > 0
        else { return nil }
        return (quota + period - 1) / period
    }

    /// Changes at each boot; what was not synced before is not to be trusted after.
    public static var bootID: String {
        guard
            let file = try? FileDescriptor.workingDirectory.open(
                "/proc/sys/kernel/random/boot_id", .readOnly, resolve: .system),
            let bytes = try? file.borrowed.readAll(limit: 256)
        else { return "unknown" }
        return String(decoding: bytes.prefix { $0 != 10 }, as: UTF8.self)
    }

    /// (major, minor) of the running kernel.
    public static var kernelVersion: (Int, Int) {
        var name = utsname()
        uname(&name)
        let release = withUnsafeBytes(of: name.release) {
            String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
        }
        let numbers = release.split { !$0.isNumber }.prefix(2).compactMap { Int($0) }
        return (numbers.first ?? 0, numbers.count > 1 ? numbers[1] : 0)
    }

    /// As `uname -m` says.
    public static var machine: String {
        var name = utsname()
        uname(&name)
        return withUnsafeBytes(of: name.machine) {
            String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
        }
    }
}

/// Seconds on a clock that only goes forward.
public func monotonicSeconds() -> Double {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
}

/// Seconds since 1970.
public func wallClockSeconds() -> Int64 {
    var time = timespec()
    clock_gettime(CLOCK_REALTIME, &time)
    return Int64(time.tv_sec)
}

/// `count` random bytes in hexadecimal: a name that nobody else picks.
public func randomName(bytes count: Int = 8) -> String {
    var generator = SystemRandomNumberGenerator()
    return (0..<count).map { _ in
        let byte = UInt8.random(in: 0...255, using: &generator)
        return String(byte >> 4, radix: 16) + String(byte & 15, radix: 16)
    }.joined()
}

/// From now on no other process of this user reads our memory or descriptors through /proc or ptrace.
public func makeNotDumpable() -> Bool { sbx_set_not_dumpable() == 0 }

/// Raises our own soft limit of open files to the hard one: deep trees and many layers cost descriptors.
public func raiseOpenFileLimit() {
    var limit = rlimit()
    if getrlimit(ResourceKind.nofile.number, &limit) != 0 { return }
    limit.rlim_cur = limit.rlim_max
    // Refused: then we live with what there is.
    _ = setrlimit(ResourceKind.nofile.number, &limit)
}

/// Opens a directory again in this process's own mount namespace.
///
/// A descriptor that came from another namespace carries that one's mount, and the kernel mounts nothing from or on it. The
/// path is only a way to find the directory: what it leads to must be the same inode.
public func reopenedHere(_ directory: borrowing OwnedDescriptor) throws(SystemError)
    -> OwnedDescriptor
{
    let raw = directory.borrowed
    return try during("open the store in the worker's mounts") { () throws(Errno) in
        let again = try FileDescriptor.workingDirectory.open(
            try raw.ownPath(), [.readOnly, .directory], resolve: .system)
        if try !again.borrowed.status().isSameFile(as: raw.status()) {
            throw Errno.staleNFSFileHandle
        }
        return again
    }
}

extension FileDescriptor {
    /// The path by which the kernel knows this descriptor: for directories that nobody else can move.
    public func ownPath() throws(Errno) -> [UInt8] {
        try FileDescriptor.workingDirectory.readLink("/proc/self/fd/\(rawValue)".utf8)
    }
}

/// Ends this process at once, with what was printed flushed.
///
/// Not exit(3): it runs the clean-up of libraries (libcrypto's, for one) while threads of ours may still be on their way out of
/// them, and that corrupts the heap now and then. Nothing of ours waits for an end: files are whole when they have their names.
public func endProcess(_ status: Int32) -> Never {
    fflush(nil)
    _exit(status)
}

/// This process and the one that started it.
public func ownFamily() -> [Int32] { [getpid(), getppid()] }
