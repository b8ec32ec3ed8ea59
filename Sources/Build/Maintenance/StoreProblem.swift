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

    /// What to do about it, with the command that does it.
    public var remedy: String {
        switch (subject, finding) {
        case (_, .absent): "nothing to do: it is fetched when it is needed, or by lichen pull"
        case (_, .unusable): "nothing to do: the step runs again, and lichen prune removes it"
        case (_, .missing):
            "lichen pull or a build brings it back; lichen store check --mend forgets the image"
        case (_, _): "lichen store check --mend removes it"
        }
    }

    /// What comes after its removal.
    public var outcome: String {
        switch subject {
        case .blob where images.isEmpty: "no image needs it"
        case .blob: "the next build or pull that needs it makes or fetches it again"
        case .listing: "it is made again when it is needed"
        case .step: "the step runs again"
        }
    }
}
