/// The marks of a layer that hide what lower layers have.
///
/// OCI image-spec v1.1, layer.md, "Whiteouts".
public enum Whiteout: Equatable {
    /// `.wh.NAME`: hides NAME of the lower layers.
    case name(ArraySlice<UInt8>)
    /// `.wh..wh..opq`: hides all that the directory holds in lower layers.
    case opaque
    /// Another `.wh..wh.` name: a left-over of AUFS, without meaning.
    case meaningless

    static let prefix = Array(".wh.".utf8)
    static let opaqueName = Array(".wh..wh..opq".utf8)
    private static let auxiliaryPrefix = Array(".wh..wh.".utf8)

    /// What the last component of an entry means; nil for an ordinary file.
    public init?(name: ArraySlice<UInt8>) {
        guard name.starts(with: Self.prefix) else { return nil }
        if name.elementsEqual(Self.opaqueName) {
            self = .opaque
        } else if name.starts(with: Self.auxiliaryPrefix) {
            self = .meaningless
        } else {
            self = .name(name.dropFirst(Self.prefix.count))
        }
    }

    /// Whether a directory of `path` is called as what hides something: nothing can be in that. AUFS's own directories are none.
    static func standsInDirectories(of path: TreePath) -> Bool {
        var start = 0
        while let end = path.bytes[start...].firstIndex(of: slash) {
            if path.bytes[start] == dot, case .name? = Whiteout(name: path.bytes[start..<end]) {
                return true
            }
            start = end + 1
        }
        return false
    }

    /// The path of the entry that hides `path`.
    static func path(hiding path: TreePath) -> TreePath {
        (path.parent ?? .root).appending(prefix + path.name)
    }
}

/// Names of overlay's own and of ours, where they stand in trees and never in layers.
enum PrivateAttribute {
    /// Overlay's marks in a user namespace (`userxattr`).
    static let overlayPrefix = Array("user.overlay.".utf8)
    /// The kernel's own escape (Linux 6.7): the attribute of a foreign layer that looks like overlay's.
    static let escapedOverlayPrefix = Array("user.overlay.overlay.".utf8)
    static let opaque = Array("user.overlay.opaque".utf8)
    /// Ours: a device node that can't be made in a user namespace, as "c1:3" or "b8:0" on an empty file.
    static let device = Array("user.lichen.device".utf8)
    /// Ours: an owner that the id map does not hold, as "uid:gid".
    static let owner = Array("user.lichen.owner".utf8)
    private static let ours = Array("user.lichen.".utf8)

    /// The name in the tree of an attribute of a layer; nil where it must not come in.
    static func nameInTree(_ name: [UInt8]) -> [UInt8]? {
        if name.starts(with: overlayPrefix) {
            return escapedOverlayPrefix + name.dropFirst(overlayPrefix.count)
        }
        return isCarried(name) ? name : nil
    }

    /// The name in the layer of an attribute of a tree; nil where it must not come out.
    static func nameInLayer(_ name: [UInt8]) -> [UInt8]? {
        if name.starts(with: escapedOverlayPrefix) {
            return overlayPrefix + name.dropFirst(escapedOverlayPrefix.count)
        }
        if name.starts(with: overlayPrefix) { return nil }
        return isCarried(name) ? name : nil
    }

    /// File capabilities, ACLs and the user's own: not `trusted.*`, nor what the host's security modules wrote.
    private static func isCarried(_ name: [UInt8]) -> Bool {
        name.starts(with: "user.".utf8) && !name.starts(with: ours)
            || name.elementsEqual("security.capability".utf8)
            || name.starts(with: "system.posix_acl_".utf8)
    }
}
