public import OCI

/// Something in the store that is not as it should be.
public struct StoreProblem: Sendable, Equatable, CustomStringConvertible {
    public enum Subject: Sendable, Hashable {
        case blob(Digest)
        /// Of the layer with this diff ID.
        case listing(Digest)
        case step(Digest)
    }

    public enum Finding: Sendable, Equatable {
        /// Its bytes are not what its digest says.
        case wrongDigest
        case missing
        /// It can't be read, for this reason.
        case unreadable(String)
        /// Not damage: a layer that no step has needed so far.
        case absent
        /// Not damage: a record whose layer is gone, or that an older Lichen wrote.
        case unusable
    }

    public var subject: Subject
    public var finding: Finding
    /// The named images that need it, sorted.
    public var images: [String]

    /// Whether something is wrong, rather than only not here.
    public var isDamage: Bool { finding != .absent && finding != .unusable }

    public var description: String {
        let what =
            switch subject {
            case .blob(let digest): "blob \(digest)"
            case .listing(let diffID): "the listing of layer \(diffID)"
            case .step(let key): "the record of step \(key.hex)"
            }
        let how =
            switch finding {
            case .wrongDigest: "is not what its digest says"
            case .missing: "is missing"
            case .unreadable(let reason): "can't be read: \(reason)"
            case .absent: "is not here"
            case .unusable: "can't be used any more"
            }
        let whose = images.isEmpty ? "" : ", of \(images.joined(separator: ", "))"
        return "\(what) \(how)\(whose)"
    }

    /// What to do about it.
    public var remedy: String {
        switch (subject, finding) {
        case (_, .absent): "nothing: it is fetched when it is needed; or pull the image"
        case (_, .unusable): "nothing: the step runs again, and lichen prune removes the record"
        case (_, .missing): "pull or build the image again, or lichen rm it"
        case (.blob, _) where !images.isEmpty:
            "remove the damaged blob, then pull or build the image again"
        case (.blob, _): "remove the damaged blob: no image needs it"
        case (.listing, _), (.step, _): "remove it: it is made again when it is needed"
        }
    }
}
