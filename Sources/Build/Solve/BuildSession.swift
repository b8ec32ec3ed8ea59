import Dockerfile
import Linux
import OCI
import Policy
import Store
import Synchronization

/// What all stages of one build share.
final class BuildSession: Sendable {
    let request: BuildRequest
    let plan: Plan
    let store: Store
    let images: ImageSource
    let worker: WorkerClient
    let observer: BuildObserver
    let context: BuildContext
    /// Of the policy in force, for keys.
    let policyDigest: Digest
    /// One clock reading for the whole build.
    let now: Timestamp
    private let cached = Mutex(0)
    private let packing = Mutex<[SolvedLayer]>([])

    init(
        request: BuildRequest, plan: Plan, store: Store, images: ImageSource, worker: WorkerClient,
        context: BuildContext, observer: @escaping BuildObserver
    ) throws {
        self.request = request
        self.plan = plan
        self.store = store
        self.images = images
        self.worker = worker
        self.context = context
        self.observer = observer
        var key = CacheKey("policy")
        key.add(try SandboxPolicy.default.canonicalBytes)
        policyDigest = key.finish()
        let clock = Timestamp(secondsSinceEpoch: wallClockSeconds())
        now = request.sourceDateEpoch.map { Timestamp(secondsSinceEpoch: $0) } ?? clock
    }

    var document: DockerfileDocument { plan.document }
    var cachedCount: Int { cached.withLock { $0 } }

    func countCached() { cached.withLock { $0 += 1 } }

    /// Remembers a layer that is being packed, so that a build that fails leaves no task behind.
    func track(_ layer: SolvedLayer) { packing.withLock { $0.append(layer) } }

    /// Ends packing that nobody will wait for any more.
    func cancelPacking() async {
        let layers = packing.withLock { $0 }
        for layer in layers { layer.cancel() }
        for layer in layers { _ = try? await layer.record }
    }

    /// A refusal of an instruction, with its place in the Dockerfile.
    func error(
        _ category: BuildError.Category, _ message: String, at range: SourceRange,
        hint: String? = nil
    ) -> BuildError {
        BuildError(
            category, message, location: "\(document.source.file):\(range.start.line)",
            excerpt: document.source.excerpt(range), hint: hint)
    }
}
