/// The listings of an image's layers, bottom first: the image's files without any of its bytes.
///
/// A path is looked up from the top down, in the listings where they lie; nothing is merged beforehand, so the cost is that of
/// the path, not of the image.
public struct LayerStack: Sendable {
    public private(set) var listings: [Listing]

    public init(_ listings: [Listing] = []) { self.listings = listings }

    public mutating func push(_ listing: Listing) { listings.append(listing) }

    /// What the image has at `path`, and the layer that says so; links are not followed. Nil where there is nothing.
    ///
    /// The root is always there, if only by default.
    public func lookup(_ path: TreePath) -> (entry: ListingEntry, layer: Int)? {
        // A directory that a layer only implies: it is there, but a lower layer's entry for it says more.
        var implied: (entry: ListingEntry, layer: Int)?
        for (index, listing) in listings.enumerated().reversed() {
            let (entry, hidesLower) = listing.view(of: path)
            if let entry {
                if entry.kind == .whiteout || (implied != nil && entry.kind != .directory) {
                    return implied
                }
                if !entry.isImplied { return (entry, index) }
                implied = implied ?? (entry, index)
            }
            // The lower layers' path is hidden: by a removed, replaced or opaque directory above it, or its own being opaque.
            if hidesLower { return implied }
        }
        return implied
    }

    public func entry(at path: TreePath) -> ListingEntry? { lookup(path)?.entry }

    /// Where a path leads when links are followed, as after a chroot into the image.
    public struct Resolved: Equatable, Sendable {
        /// No component but the last can be a link; neither that where links were followed there.
        public var path: TreePath
        public var entry: ListingEntry?
    }

    /// Why a path leads nowhere.
    public enum ResolutionError: Error, Equatable {
        /// More than 40 links, as the kernel counts.
        case tooManyLinks
        /// A component on the way is a file.
        case notDirectory(TreePath)
    }

    /// Resolves `text`, absolute or relative to `base`; ".." stops at the root. What does not exist is passed as it stands.
    public func resolve(
        _ text: some Collection<UInt8>, from base: TreePath = .root, followingLast: Bool = true
    ) throws(ResolutionError) -> Resolved {
        let walk = LinkWalk(
            text.split(separator: slash), from: text.first == slash ? .root : base,
            followingLast: followingLast
        ) { LinkWalk.Node(entry(at: $0)) }
        switch walk.problem {
        case .tooManyLinks: throw .tooManyLinks
        case .notDirectory: throw .notDirectory(walk.path)
        case nil: return Resolved(path: walk.path, entry: entry(at: walk.path))
        }
    }
}
