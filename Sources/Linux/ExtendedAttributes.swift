import CShims
import Glibc
public import SystemPackage

/// An extended attribute: name and value as bytes.
public struct ExtendedAttribute: Equatable, Sendable {
    public var name: [UInt8]
    public var value: [UInt8]

    public init(name: [UInt8], value: [UInt8]) {
        self.name = name
        self.value = value
    }
}

extension FileDescriptor {
    /// All attributes of what this descriptor is, sorted by name; also for an O_PATH descriptor, of a link itself.
    ///
    /// A file system without attributes has none; that is no error.
    public func extendedAttributes() throws(Errno) -> [ExtendedAttribute] {
        let list = try attributeBytes { sbx_listxattr(magicPath, $0, $1) }
        guard let list, !list.isEmpty else { return [] }
        var result: [ExtendedAttribute] = []
        for name in list.split(separator: 0) {
            let value = try withCPath(name) { (name) throws(Errno) in
                try attributeBytes { sbx_getxattr(magicPath, name, $0, $1) }
            }
            if let value { result.append(ExtendedAttribute(name: [UInt8](name), value: value)) }
        }
        result.sort { $0.name.lexicographicallyPrecedes($1.name) }
        return result
    }

    /// One attribute, nil where it is not there.
    public func extendedAttribute(_ name: String) throws(Errno) -> [UInt8]? {
        try attributeBytes { sbx_getxattr(magicPath, name, $0, $1) }
    }

    public func setExtendedAttribute(_ name: some Collection<UInt8>, _ value: [UInt8]) throws(Errno)
    {
        _ = try Errno.check(
            withCPath(name) { name in
                value.withUnsafeBytes { sbx_setxattr(magicPath, name, $0.baseAddress, $0.count) }
            })
    }

    /// One attribute of `child`, a file or directory right below this directory that nobody changes; nil where it is not there.
    public func extendedAttribute(_ name: String, of child: [UInt8]) throws(Errno) -> [UInt8]? {
        try withCPath(Array("\(magicPath)/".utf8) + child) { path throws(Errno) in
            try attributeBytes { sbx_getxattr(path, name, $0, $1) }
        }
    }

    public func removeExtendedAttributeIfPresent(_ name: some Collection<UInt8>) throws(Errno) {
        do throws(Errno) { try removeExtendedAttribute(name) } catch {
            if error.rawValue != ENODATA && error.rawValue != EOPNOTSUPP { throw error }
        }
    }

    public func removeExtendedAttribute(_ name: some Collection<UInt8>) throws(Errno) {
        _ = try Errno.check(withCPath(name) { sbx_removexattr(magicPath, $0) })
    }

    /// The f*xattr calls refuse O_PATH descriptors; this way leads to the same inode, of whatever kind.
    private var magicPath: String { "/proc/self/fd/\(rawValue)" }

    private func attributeBytes(_ call: (UnsafeMutablePointer<CChar>?, Int) -> Int) throws(Errno)
        -> [UInt8]?
    {
        // The kernel allows 64 KiB for a value and for the list of names.
        var result = 0
        let bytes = [UInt8](unsafeUninitializedCapacity: 512) { buffer, count in
            result = buffer.withMemoryRebound(to: CChar.self) { call($0.baseAddress!, $0.count) }
            count = max(result, 0)
        }
        if result >= 0 { return bytes }
        if result == -Int(ERANGE) {
            let large = [UInt8](unsafeUninitializedCapacity: 65536) { buffer, count in
                result = buffer.withMemoryRebound(to: CChar.self) {
                    call($0.baseAddress!, $0.count)
                }
                count = max(result, 0)
            }
            if result >= 0 { return large }
        }
        if result == -Int(ENODATA) || result == -Int(EOPNOTSUPP) { return nil }
        throw Errno(rawValue: CInt(-result))
    }
}
