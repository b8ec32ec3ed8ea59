import Layers
import Linux
import OCI
import Store

/// A layer of an image in the making: it may still be being packed.
final class SolvedLayer: Sendable {
    private let task: Task<LayerRecord, any Error>
    /// The worker's number for the upper directory that holds its files, while there is one.
    let upper: Int?
    /// The listing of a step that ran just now; the store has those of all others.
    let fresh: Listing?

    /// A layer whose blob exists, here or at a registry.
    init(_ record: LayerRecord) {
        task = Task { record }
        upper = nil
        fresh = nil
    }

    /// A layer that is being packed.
    init(upper: Int? = nil, listing: Listing? = nil, packing task: Task<LayerRecord, any Error>) {
        self.task = task
        self.upper = upper
        fresh = listing
    }

    var record: LayerRecord { get async throws { try await task.value } }

    /// How the worker finds its files: at once for a step that it ran, else when the blob is there.
    var source: LayerSource {
        get async throws { if let upper { .upper(upper) } else { .stored(try await record) } }
    }

    /// What it holds, where that is known without reading its blob.
    func listing(in store: Store) async throws -> Listing? {
        if let fresh { return fresh }
        return try store.listing(try await record.diffID)
    }
}

/// A chain of layers by their diff IDs. A step that the store knows is taken only on the layers that it was solved on: the same
/// instructions may have given other files since.
struct LayerBasis: Sendable {
    private let task: Task<Digest, any Error>

    /// No layers.
    init() { task = Task { CacheKey("basis").finish() } }

    private init(_ task: Task<Digest, any Error>) { self.task = task }

    var digest: Digest { get async throws { try await task.value } }

    func adding(_ layer: SolvedLayer) -> LayerBasis {
        let task = task
        return LayerBasis(
            Task {
                var key = CacheKey("basis")
                key.add(try await task.value)
                key.add(try await layer.record.diffID)
                return key.finish()
            })
    }

    /// With another stage that files are copied from.
    func adding(_ other: LayerBasis) -> LayerBasis {
        let (task, otherTask) = (task, other.task)
        return LayerBasis(
            Task {
                var key = CacheKey("basis of two")
                key.add(try await task.value)
                key.add(try await otherTask.value)
                return key.finish()
            })
    }
}

/// What a stage has come to: everything that a later stage, or the image, takes over.
struct StageState: Sendable {
    var config: ImageConfig
    var layers: [SolvedLayer]
    /// Names the files so far: not what they are, but by what they were made.
    var key: Digest
    /// Names the layers so far by what they are; comes when they are packed.
    var basis: LayerBasis
    var scope: StageScope
    /// When the last step was solved; what comes after it without a step of its own takes the same time.
    var created: Timestamp?

    /// A stage on nothing.
    static func scratch(_ platform: Platform) -> StageState {
        StageState(
            config: ImageConfig(platform: platform), layers: [], key: CacheKey("scratch").finish(),
            basis: LayerBasis(),
            scope: StageScope(environment: []), created: nil)
    }

    /// A stage on an image.
    init(_ image: BaseImage) {
        config = image.config
        layers = image.layers.map { SolvedLayer($0) }
        basis = layers.reduce(LayerBasis()) { $0.adding($1) }
        var key = CacheKey("base")
        for diffID in image.config.diffIDs { key.add(diffID) }
        self.key = key.finish()
        scope = StageScope(environment: image.config.config.env)
        created = image.config.created
    }

    /// A stage on another one: its files, its config and its ARGs. Dockerfile reference, "ARG", "Scope".
    init(on stage: StageState) { self = stage }

    private init(
        config: ImageConfig, layers: [SolvedLayer], key: Digest, basis: LayerBasis,
        scope: StageScope,
        created: Timestamp?
    ) {
        self.basis = basis
        self.config = config
        self.layers = layers
        self.key = key
        self.scope = scope
        self.created = created
    }

    /// The shell of shell-form commands.
    var shell: [String] { config.config.shell.isEmpty ? ["/bin/sh", "-c"] : config.config.shell }

    var workingDirectory: String {
        config.config.workingDir.isEmpty ? "/" : config.config.workingDir
    }
}
