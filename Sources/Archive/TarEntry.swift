/// One entry of a tar, as bytes and numbers; what it means is for layers to say.
///
/// Names are bytes, never text: nothing is normalised, decoded or cleaned. A directory's path
/// has no slash at its end, but for the path `/`.
public struct TarEntry: Equatable, Sendable {
    /// The kinds of files a tar carries.
    public enum Kind: Equatable, Sendable {
        case file, directory, symlink, hardLink, characterDevice, blockDevice, fifo
    }

    /// The seconds since 1970, which may be negative, and the nanoseconds after them.
    public struct Time: Equatable, Sendable {
        public var seconds: Int64
        public var nanoseconds: UInt32

        public init(seconds: Int64, nanoseconds: UInt32 = 0) {
            self.seconds = seconds
            self.nanoseconds = nanoseconds
        }
    }

    /// An extended attribute.
    public struct Xattr: Equatable, Sendable {
        public var name: [UInt8]
        public var value: [UInt8]

        public init(name: [UInt8], value: [UInt8]) {
            self.name = name
            self.value = value
        }
    }

    /// A part of a sparse file that has data. All else are zeros.
    public struct Region: Equatable, Sendable {
        public var offset: Int64
        public var length: Int64

        public init(offset: Int64, length: Int64) {
            self.offset = offset
            self.length = length
        }
    }

    public var path: [UInt8]
    public var kind: Kind
    /// Of a symlink what it says, of a hard link the path of an entry before it; else empty.
    public var linkTarget: [UInt8] = []
    /// Permissions with setuid, setgid and sticky: at most 0o7777.
    public var mode: UInt16 = 0
    /// Never 0xffffffff, which means "leave it" to chown.
    public var uid: UInt32 = 0
    public var gid: UInt32 = 0
    /// Bytes of a file as a program sees it, with the holes of a sparse one; else 0.
    public var size: Int64 = 0
    public var modified = Time(seconds: 0)
    /// Of devices.
    public var major: UInt32 = 0
    public var minor: UInt32 = 0
    /// In the archive's order; the writer sorts them by name.
    public var xattrs: [Xattr] = []
    /// The parts with data, ascending, when the archive stores the file as sparse. The writer
    /// doesn't look at it.
    public var regions: [Region]?

    public init(path: [UInt8], kind: Kind) {
        self.path = path
        self.kind = kind
    }
}
