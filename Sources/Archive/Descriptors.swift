import Glibc
public import SystemPackage

/// The bytes of an open file, pipe or socket. The descriptor stays the caller's.
public final class DescriptorSource: ByteSource {
    private let descriptor: FileDescriptor
    private let name: String
    private var offset: Int64?
    private var left: Int64

    /// Reads from where `descriptor` stands, or from `offset` without moving it, and no more than
    /// `length` bytes.
    ///
    /// - Parameter name: what it is, for errors.
    public init(
        _ descriptor: FileDescriptor, offset: Int64? = nil, length: Int64? = nil,
        called name: String = "the archive"
    ) {
        self.descriptor = descriptor
        self.name = name
        self.offset = offset
        left = length ?? .max
    }

    public func read(into buffer: UnsafeMutableRawBufferPointer) throws -> Int {
        let wanted = Int(min(Int64(buffer.count), left))
        if wanted == 0 { return 0 }
        while true {
            let count =
                if let offset {
                    pread(descriptor.rawValue, buffer.baseAddress, wanted, off_t(offset))
                } else { Glibc.read(descriptor.rawValue, buffer.baseAddress, wanted) }
            if count >= 0 {
                left -= Int64(count)
                offset? += Int64(count)
                return count
            }
            if errno != EINTR { throw ArchiveError.system("read \(name)", errno) }
        }
    }
}

/// Writes to an open file, pipe or socket. The descriptor stays the caller's, open and unsynced.
public final class DescriptorSink: ByteSink {
    private let descriptor: FileDescriptor
    private let name: String

    /// - Parameter name: what it is, for errors.
    public init(_ descriptor: FileDescriptor, called name: String = "the archive") {
        self.descriptor = descriptor
        self.name = name
    }

    public func write(_ bytes: UnsafeRawBufferPointer) throws {
        var rest = bytes[...]
        while let base = UnsafeRawBufferPointer(rebasing: rest).baseAddress, !rest.isEmpty {
            let count = Glibc.write(descriptor.rawValue, base, rest.count)
            if count >= 0 {
                rest = rest.dropFirst(count)
            } else if errno != EINTR {
                throw ArchiveError.system("write \(name)", errno)
            }
        }
    }

    public func finish() {}
}
