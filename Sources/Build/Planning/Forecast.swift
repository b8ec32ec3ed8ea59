public import OCI
import Store

/// What a build would do: every stage that it needs, and what is known of each step without carrying anything out.
public struct Forecast: Sendable, Equatable {
    public enum Outlook: String, Sendable {
        /// The store has what the step gives.
        case cached
        /// The store does not have it.
        case runs
        /// It stands on a step that would run, or on files that would first be fetched: what those give decides.
        case unknown
        /// Changes the image's config and no file.
        case config
    }

    public struct Step: Sendable, Equatable {
        /// Counted through the build, as its progress does.
        public var number: Int
        public var line: Int
        /// As written, on one line.
        public var text: String
        public var outlook: Outlook
    }

    public struct Stage: Sendable, Equatable {
        public var index: Int
        /// Its name, or `stage-2`.
        public var label: String
        /// Of its FROM.
        public var line: Int
        /// An image's name, another stage's label, a context, or `scratch`.
        public var base: String
        /// Of the base image's manifest, or of the index that it is in.
        public var baseDigest: Digest?
        public var platform: Platform
        /// What it is needed for: the platform of the image. A stage that two images need is there twice, and its steps run once.
        public var target: Platform
        public var steps: [Step]
    }

    /// A stage that no image needs.
    public struct Pruned: Sendable, Equatable {
        public var index: Int
        public var label: String
        public var line: Int
    }

    /// A blob of a base that some step needs, and the store does not have.
    public struct Download: Sendable, Equatable {
        public var digest: Digest
        public var size: Int64
        public var image: String
    }

    /// The label of the stage that would be the image.
    public var target: String
    public var stages: [Stage]
    public var pruned: [Pruned]
    public var downloads: [Download]

    /// Adds what is done for another platform.
    mutating func add(_ other: Forecast) {
        stages += other.stages
        let needless = Set(other.pruned.map(\.index))
        pruned.removeAll { !needless.contains($0.index) }
        let known = Set(downloads.map(\.digest))
        downloads += other.downloads.filter { !known.contains($0.digest) }
    }

    public func count(of outlook: Outlook) -> Int {
        stages.flatMap(\.steps).count { $0.outlook == outlook }
    }
}

extension Builder {
    /// Says what `build(request)` would do. Nothing is carried out and no worker starts; the store keeps what looking up
    /// bases brings, and nothing else.
    ///
    /// - Throws: `BuildError`, or `CancellationError`.
    public func forecast(_ request: BuildRequest) async throws -> Forecast {
        try await described {
            let lock = try store.enter()
            defer { withExtendedLifetime(lock) {} }
            return try await withSession(request, isRehearsal: true) { session in
                var parts: [Forecast] = []
                for plan in session.plans {
                    parts.append(try await Rehearsal(session: session, plan: plan).forecast())
                }
                return parts.dropFirst().reduce(into: parts[0]) { $0.add($1) }
            }
        }
    }
}
