import Linux
import SystemPackage

/// Makes of an upper directory the tree of its layer: the same that unpacking the layer gives, so that the steps that follow see
/// the same files either way.
struct UpperTree {
    private let upper: FileDescriptor
    private let latest: Int64?

    init(upper: FileDescriptor, latest: Int64?) {
        self.upper = upper
        self.latest = latest
    }

    /// - Parameter found: all names of the upper directory, parents first.
    func settle(_ found: [UpperDiff.Found]) throws(LayerError) {
        for item in found.reversed() where !item.isChanged || item.needsMending {
            try LayerError.at(item.path.bytes, "settle it") { () throws(Errno) in
                let parent = try upper.open(
                    (item.path.parent ?? .root).forSystem, [.readOnly, .directory],
                    resolve: .noLinks)
                if item.isChanged {
                    try mend(item, in: parent.borrowed)
                } else {
                    try remove(item, from: parent.borrowed)
                }
            }
        }
        // What was removed has changed the times of the directories above it.
        for item in found where item.isChanged && item.mark == .entry && !item.path.isRoot {
            try LayerError.at(item.path.bytes, "set its time") { () throws(Errno) in
                let time = time(of: item.status)
                if item.status.kind == .directory || time != item.status.modified {
                    try upper.setTimes(item.path.bytes, time)
                }
            }
        }
    }

    /// What was copied up and is as it was: in another image this tree would show the wrong file.
    private func remove(_ item: UpperDiff.Found, from parent: FileDescriptor) throws(Errno) {
        if item.status.kind == .directory {
            try parent.removeEmptyDirectory(item.path.name)
        } else {
            try parent.unlink(item.path.name)
        }
    }

    private func mend(_ item: UpperDiff.Found, in parent: FileDescriptor) throws(Errno) {
        if item.status.kind == .socket {
            try parent.unlink(item.path.name)
            try parent.makeNode(item.path.name, kind: .characterDevice, mode: 0)
        }
        if item.hasIdleMark {
            let directory = try parent.open(
                item.path.name, [.readOnly, .directory, .noFollow], resolve: .noLinks)
            try directory.borrowed.removeExtendedAttribute(PrivateAttribute.opaque)
        }
    }

    /// As the layer has it: whole seconds, none later than wanted.
    private func time(of status: FileStatus) -> FileTime {
        FileTime(seconds: min(status.modified.seconds, latest ?? .max), nanoseconds: 0)
    }
}

extension UpperDiff.Found {
    /// Whether the tree has it in another form than an unpacked layer has.
    fileprivate var needsMending: Bool { hasIdleMark || status.kind == .socket }
}
