public import OCI
import Store

/// What a build would do: every stage that it needs, and what is known of each step without carrying anything out.
public struct Forecast: Sendable, Equatable {
    public enum Outlook: String, Sendable {
        /// The store has what the step gives.
        case cached
        /// The store does not have it.
        case runs
        /// It stands on a step that would run: what that gives decides.
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
        public var steps: [Step]
    }

    /// A stage that the target does not need.
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
                try await Rehearsal(session: session).forecast()
            }
        }
    }
}
