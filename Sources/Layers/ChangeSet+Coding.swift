import Archive
import Linux

// Change sets come from the process that looks at foreign trees, and are packed by another.

/// Reads a list of files.
private typealias ListReader = ByteReader<LayerError>

extension ListReader {
    fileprivate init(_ bytes: [UInt8]) {
        self.init(bytes) { _ in LayerError(.damagedListing, at: []) }
    }

    /// A path below a root, as it is written by us: another form is refused.
    fileprivate mutating func path() throws(LayerError) -> TreePath {
        let text = try text()
        guard let path = TreePath(text), path.bytes == text else {
            throw LayerError(.unsafePath, at: text)
        }
        return path
    }
}

extension ChangeSet {
    /// For the process that packs.
    public func encoded() -> [UInt8] {
        var writer = ByteWriter()
        writer.add(UInt32(changes.count))
        for change in changes {
            writer.add(change.mark.rawValue)
            writer.add(change.path.bytes)
            writer.add(change.linkTarget.map { $0.bytes } ?? [])
            writer.add(change.device?.bytes ?? [])
            change.status.add(to: &writer)
        }
        return writer.bytes
    }

    /// - Throws: where the bytes make no sense: `damagedListing`, or `unsafePath`.
    public init(decoding bytes: [UInt8]) throws(LayerError) {
        var reader = ListReader(bytes)
        let count = Int(try reader.number(UInt32.self))
        if count > ListingBuilder.largestCount { throw LayerError(.damagedListing, at: []) }
        for _ in 0..<count { changes.append(try Change(&reader)) }
        if !reader.isAtEnd { throw LayerError(.damagedListing, at: []) }
    }
}

extension ChangeSet.Change {
    fileprivate init(_ reader: inout ListReader) throws(LayerError) {
        guard let mark = Mark(rawValue: try reader.number()) else {
            throw LayerError(.damagedListing, at: [])
        }
        let path = try reader.path()
        let target = try reader.path()
        let device = try reader.text()
        self.init(path: path, mark: mark, status: try FileStatus(&reader))
        if mark == .hardLink { linkTarget = target }
        if !device.isEmpty {
            guard let record = DeviceRecord(device) else {
                throw LayerError(.damagedListing, at: path.bytes)
            }
            self.device = record
        }
    }
}

extension FileStatus {
    fileprivate func add(to writer: inout ByteWriter) {
        writer.add(kind.rawValue)
        for number in [permissions, uid, gid, linkCount] { writer.add(number) }
        writer.add(inode)
        writer.add(size)
        writer.add(modified.seconds)
        writer.add(modified.nanoseconds)
        for number in [device.major, device.minor, special.major, special.minor] {
            writer.add(number)
        }
    }

    fileprivate init(_ reader: inout ListReader) throws(LayerError) {
        guard let kind = FileKind(rawValue: try reader.number()) else {
            throw LayerError(.damagedListing, at: [])
        }
        let permissions: UInt32 = try reader.number()
        let uid: UInt32 = try reader.number()
        let gid: UInt32 = try reader.number()
        let linkCount: UInt32 = try reader.number()
        let inode: UInt64 = try reader.number()
        let size: UInt64 = try reader.number()
        let seconds: Int64 = try reader.number()
        let nanoseconds: UInt32 = try reader.number()
        let device = DeviceNumber(major: try reader.number(), minor: try reader.number())
        let special = DeviceNumber(major: try reader.number(), minor: try reader.number())
        self.init(
            kind: kind, permissions: permissions & 0o7777, uid: uid, gid: gid, linkCount: linkCount,
            inode: inode, size: size,
            modified: FileTime(seconds: seconds, nanoseconds: nanoseconds), device: device,
            special: special)
    }
}

extension Removals {
    /// For the process that looks at the changes.
    public func encoded() -> [UInt8] {
        var writer = ByteWriter()
        for list in [paths, replacedDirectories] {
            writer.add(UInt32(list.count))
            for path in list.sorted() { writer.add(path.bytes) }
        }
        return writer.bytes
    }

    public init(decoding bytes: [UInt8]) throws(LayerError) {
        self.init()
        var reader = ListReader(bytes)
        for _ in 0..<(try reader.number(UInt32.self)) { remove(try reader.path()) }
        for _ in 0..<(try reader.number(UInt32.self)) {
            replacedDirectories.insert(try reader.path())
        }
    }
}

extension RootAttributes {
    /// For the process that looks at the changes.
    public func encoded() -> [UInt8] {
        var writer = ByteWriter()
        for number in [permissions, uid, gid, UInt32(attributes.count)] { writer.add(number) }
        for attribute in attributes {
            writer.add(attribute.name)
            writer.add(attribute.value)
        }
        return writer.bytes
    }

    public init(decoding bytes: [UInt8]) throws(LayerError) {
        var reader = ListReader(bytes)
        let permissions: UInt32 = try reader.number()
        let uid: UInt32 = try reader.number()
        let gid: UInt32 = try reader.number()
        var attributes: [ExtendedAttribute] = []
        for _ in 0..<(try reader.number(UInt32.self)) {
            attributes.append(
                ExtendedAttribute(name: try reader.text(), value: try reader.text()))
        }
        self.init(permissions: permissions, uid: uid, gid: gid, attributes: attributes)
    }
}
