import Glibc
public import SystemPackage

extension Host {
    /// The size of a page, in which the kernel counts memory.
    static var pageBytes: UInt64 { UInt64(sysconf(CInt(_SC_PAGESIZE))) }

    /// The memory of the machine; nil where /proc does not tell.
    public static var memoryBytes: UInt64? {
        guard
            let file = try? FileDescriptor.workingDirectory.open(
                "/proc/meminfo", .readOnly, resolve: .system),
            let bytes = try? file.borrowed.readAll(limit: 65536)
        else { return nil }
        return kilobytes(of: "MemTotal:", in: bytes).map { $0 * 1024 }
    }

    /// The number in a line `NAME   123 kB`.
    static func kilobytes(of name: String, in text: [UInt8]) -> UInt64? {
        for line in text.split(separator: 10) where line.starts(with: name.utf8) {
            let digits = line.dropFirst(name.utf8.count).drop { $0 == 32 }.prefix { $0 != 32 }
            return UInt64(String(decoding: digits, as: UTF8.self))
        }
        return nil
    }
}

/// What a file system holds; statfs(2).
public struct FileSystemSpace: Sendable, Equatable {
    public var size, free: UInt64
    public var used: UInt64

    /// Of the file system that `file` is on.
    public init(of file: FileDescriptor) throws(Errno) {
        var raw = statvfs()
        if fstatvfs(file.rawValue, &raw) != 0 { throw Errno(rawValue: errno) }
        let unit = UInt64(raw.f_frsize)
        size = UInt64(raw.f_blocks) * unit
        free = UInt64(raw.f_bavail) * unit
        used = size - min(size, UInt64(raw.f_bfree) * unit)
    }
}
