import CShims
import Glibc
public import SystemPackage

/// One name of a directory, as getdents64(2) gives it. The name is valid until the next one is asked for.
public struct DirectoryEntry {
    public let name: UnsafeBufferPointer<UInt8>
    public let inode: UInt64
    /// Nil where the file system does not tell.
    public let kind: FileKind?
}

/// Reads directories with one buffer for all of them: no allocation per entry.
public struct DirectoryReader: ~Copyable {
    private let buffer: UnsafeMutableRawBufferPointer

    public init() {
        buffer = .allocate(byteCount: 32768, alignment: 8)
    }

    deinit { buffer.deallocate() }

    /// Calls `body` for each name but "." and "..", in the file system's order.
    ///
    /// `directory` is open for reading and stands at its start. The buffer is one: `body` must not use this reader.
    public func forEach(
        in directory: FileDescriptor, _ body: (DirectoryEntry) throws -> Void
    ) throws {
        while true {
            let filled = try Errno.check(
                sbx_getdents(directory.rawValue, buffer.baseAddress!, buffer.count))
            if filled == 0 { return }
            var offset = 0
            while offset < filled {
                // struct linux_dirent64: ino 8, off 8, reclen 2, type 1, name.
                let record = buffer.baseAddress! + offset
                let inode = record.loadUnaligned(as: UInt64.self)
                let length = Int(record.loadUnaligned(fromByteOffset: 16, as: UInt16.self))
                let type = record.load(fromByteOffset: 18, as: UInt8.self)
                let name = record.assumingMemoryBound(to: UInt8.self) + 19
                offset += length
                let count = strlen(UnsafeRawPointer(name).assumingMemoryBound(to: CChar.self))
                if name[0] == UInt8(ascii: "."),
                    count == 1 || (count == 2 && name[1] == UInt8(ascii: "."))
                {
                    continue
                }
                try body(
                    DirectoryEntry(
                        name: UnsafeBufferPointer(start: name, count: count), inode: inode,
                        kind: type == 0 ? nil : FileKind(mode: UInt32(type) << 12)))
            }
        }
    }

    /// All names, sorted by their bytes: for directories whose order must not matter.
    public func names(in directory: FileDescriptor) throws -> [[UInt8]] {
        var names: [[UInt8]] = []
        try forEach(in: directory) { names.append([UInt8]($0.name)) }
        names.sort { $0.lexicographicallyPrecedes($1) }
        return names
    }
}
