public import Linux
public import SystemPackage

/// The root directory of an image, which has no entry of its own in most layers.
public struct RootAttributes: Equatable, Sendable {
    public var permissions: UInt32
    public var uid, gid: UInt32
    public var attributes: [ExtendedAttribute]

    public init(permissions: UInt32, uid: UInt32, gid: UInt32, attributes: [ExtendedAttribute]) {
        self.permissions = permissions
        self.uid = uid
        self.gid = gid
        self.attributes = attributes
    }

    init(_ status: FileStatus, _ attributes: [ExtendedAttribute]) {
        self.init(
            permissions: status.permissions, uid: status.uid, gid: status.gid,
            attributes: attributes)
    }

    func differs(from other: RootAttributes) -> Bool { self != other }

    /// Of the topmost layer that speaks of the root; 0755 and root's where none does.
    public static func of(_ stack: LayerStack, trees: [FileDescriptor]) throws(LayerError)
        -> RootAttributes
    {
        guard let (entry, layer) = stack.lookup(.root) else {
            return RootAttributes(permissions: 0o755, uid: 0, gid: 0, attributes: [])
        }
        let attributes = try LayerError.at([], "read its attributes") { () throws(Errno) in
            try trees[layer].extendedAttributes().carriedToLayer
        }
        return RootAttributes(
            permissions: UInt32(entry.permissions), uid: entry.uid, gid: entry.gid,
            attributes: attributes)
    }

    /// Gives an upper directory these attributes: overlay shows them as the root's.
    public func apply(to directory: FileDescriptor, _ form: TreeForm) throws(LayerError) {
        try LayerError.at([], "set its owner and mode") { () throws(Errno) in
            try form.give(directory, to: uid, gid)
            try directory.setPermissions(permissions)
            for attribute in attributes {
                // Escaped again: a layer's `user.overlay.opaque` must not become overlay's own.
                guard let name = PrivateAttribute.nameInTree(attribute.name) else { continue }
                try directory.setExtendedAttribute(name, attribute.value)
            }
        }
    }
}

extension [ExtendedAttribute] {
    /// As a layer carries them.
    var carriedToLayer: [ExtendedAttribute] {
        compactMap { attribute in
            PrivateAttribute.nameInLayer(attribute.name).map {
                ExtendedAttribute(name: $0, value: attribute.value)
            }
        }
    }
}
