public import Archive
import Linux
public import SystemPackage

/// Writes a change set as a layer: a tar that is a function of the changes alone.
///
/// Sorted by path, hard links to the first name, whiteouts as files of mode 0. The files are read from the upper directory,
/// which does not change any more; one that does is an error.
public struct UpperPacker {
    private let upper: FileDescriptor
    private let latest: Int64?

    /// - Parameter latest: the time that later ones are set back to: `SOURCE_DATE_EPOCH`.
    public init(upper: FileDescriptor, latest: Int64?) {
        self.upper = upper
        self.latest = latest
    }

    /// The listing of the layer, which needs no byte of its files.
    public static func listing(of changes: ChangeSet, upper: FileDescriptor, latest: Int64?)
        throws(LayerError) -> ListingBuilder
    {
        let packer = UpperPacker(upper: upper, latest: latest)
        var listing = ListingBuilder()
        for change in changes.changes {
            switch change.mark {
            case .whiteout: listing[change.path] = ListingEntry(kind: .whiteout)
            case .opaque: listing.makeOpaque(change.path)
            case .entry, .hardLink:
                listing[change.path] = ListingEntry(try packer.entry(of: change, forListing: true))
            }
        }
        return listing
    }

    /// Writes all of `changes` and the end of the archive.
    public func pack(_ changes: ChangeSet, to tar: TarWriter) throws {
        for change in changes.changes {
            switch change.mark {
            case .whiteout:
                try writeMark(Whiteout.path(hiding: change.path), to: tar)
            case .opaque:
                try writeMark(change.path.appending(Whiteout.opaqueName), to: tar)
            case .hardLink:
                var entry = try entry(of: change, forListing: false)
                entry.kind = .hardLink
                entry.linkTarget = change.linkTarget!.bytes
                entry.size = 0
                entry.xattrs = []
                try tar.begin(entry)
                try tar.end()
            case .entry:
                try write(change, to: tar)
            }
        }
        try tar.finish()
    }

    private func writeMark(_ path: TreePath, to tar: TarWriter) throws {
        // Time 0: when something was removed is on record nowhere else, and would make the layer depend on the clock.
        try tar.begin(TarEntry(path: path.bytes, kind: .file))
        try tar.end()
    }

    private func write(_ change: ChangeSet.Change, to tar: TarWriter) throws {
        let entry = try entry(of: change, forListing: false)
        try tar.begin(entry)
        if entry.kind == .file, entry.size > 0 {
            let file = try LayerError.at(change.path.bytes, "open it") { () throws(Errno) in
                try upper.open(change.path.bytes, [.readOnly, .noFollow], resolve: .noLinks)
            }
            let now = try LayerError.at(change.path.bytes, "look at it") { () throws(Errno) in
                try file.borrowed.status()
            }
            if now.size != change.status.size || !now.isSameFile(as: change.status) {
                throw LayerError(.changed, at: change.path.bytes)
            }
            try tar.writeContents(of: file.borrowed)
        }
        try tar.end()
    }

    private func entry(of change: ChangeSet.Change, forListing: Bool) throws(LayerError) -> TarEntry
    {
        let status = change.status
        let path = change.path.isRoot ? [dot] : change.path.bytes
        var entry = TarEntry(path: path, kind: TarEntry.Kind(status.kind))
        entry.mode = UInt16(status.permissions)
        (entry.uid, entry.gid) = (status.uid, status.gid)
        entry.modified = TarEntry.Time(seconds: min(status.modified.seconds, latest ?? .max))
        if status.kind == .regular { entry.size = Int64(status.size) }
        (entry.major, entry.minor) = (status.special.major, status.special.minor)
        if status.kind == .symbolicLink {
            entry.linkTarget = try LayerError.at(path, "read the link") { () throws(Errno) in
                let link = try upper.open(path, [.pathOnly, .noFollow], resolve: .beneath)
                return try link.borrowed.readLink()
            }
        }
        if let device = change.device {
            entry.kind = device.kind == .blockDevice ? .blockDevice : .characterDevice
            (entry.major, entry.minor) = (device.number.major, device.number.minor)
            if entry.mode == 0 { entry.mode = device.permissions }
        }
        if forListing { return entry }
        let attributes = try LayerError.at(path, "read its attributes") { () throws(Errno) in
            let file = try upper.open(path, [.pathOnly, .noFollow], resolve: .beneath)
            return try file.borrowed.extendedAttributes()
        }
        entry.xattrs = attributes.carriedToLayer.map {
            TarEntry.Xattr(name: $0.name, value: $0.value)
        }
        return entry
    }
}

extension TarEntry.Kind {
    init(_ kind: FileKind) {
        switch kind {
        case .regular, .socket: self = .file
        case .directory: self = .directory
        case .symbolicLink: self = .symlink
        case .characterDevice: self = .characterDevice
        case .blockDevice: self = .blockDevice
        case .fifo: self = .fifo
        }
    }
}
