public import Linux

/// What one step changed: the entries of the layer that it makes, in the layer's order.
public struct ChangeSet: Sendable {
    public struct Change: Sendable {
        public enum Mark: UInt8, Sendable {
            /// The file is in the layer, with its data.
            case entry
            /// Another name of a file that is in the layer before it.
            case hardLink
            /// The path is gone.
            case whiteout
            /// The directory hides what lower layers have in it; stands right behind it.
            case opaque
        }

        public var path: TreePath
        public var mark: Mark
        public var status: FileStatus
        /// Of a hard link, the first name.
        public var linkTarget: TreePath?
        /// Of a placeholder, the device that it stands for.
        var device: DeviceRecord?
    }

    public internal(set) var changes: [Change] = []

    public var isEmpty: Bool { changes.isEmpty }
}
