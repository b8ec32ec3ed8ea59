import Contexts
import Dockerfile
import Layers
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
    let pusher: ImagePusher
    let remote: RemoteFiles
    let worker: WorkerClient
    let observer: BuildObserver
    let context: BuildContext
    /// Nothing is carried out: a step that the store can't answer ends its stage.
    let isRehearsal: Bool
    /// Of the policy in force, for keys.
    let policyDigest: Digest
    /// One clock reading for the whole build.
    let now: Timestamp
    let weaknesses: Weaknesses
    /// Calls that were refused to steps of this build.
    let refused = Mutex<[RefusedCall]>([])
    private let counts = Mutex<(steps: Int, cached: Int)>((0, 0))
    private let knownDigests = Mutex<ContentDigestCache?>(nil)
    private let checkouts = Mutex<[GitCheckout]>([])
    private let packing = Mutex<[Task<Void, any Error>]>([])

    init(
        request: BuildRequest, plan: Plan, store: Store, images: ImageSource, worker: WorkerClient,
        remote: RemoteFiles, context: BuildContext, weaknesses: Weaknesses,
        isRehearsal: Bool = false, observer: @escaping BuildObserver
    ) throws {
        self.request = request
        self.plan = plan
        self.store = store
        self.images = images
        pusher = ImagePusher(store: store, source: images, observer: observer)
        self.remote = remote
        self.worker = worker
        self.context = context
        self.weaknesses = weaknesses
        self.isRehearsal = isRehearsal
        self.observer = observer
        var key = CacheKey("policy")
        key.add(try SandboxPolicy.default.canonicalBytes)
        policyDigest = key.finish()
        let clock = Timestamp(secondsSinceEpoch: wallClockSeconds())
        now = request.sourceDateEpoch.map { Timestamp(secondsSinceEpoch: $0) } ?? clock
    }

    var document: DockerfileDocument { plan.document }
    /// Steps that were solved, and those of them that the store answered. What only changes the config is no step.
    var stepCounts: (steps: Int, cached: Int) { counts.withLock { $0 } }

    func countStep(isCached: Bool) {
        counts.withLock { counts in
            counts.steps += 1
            if isCached { counts.cached += 1 }
        }
    }

    /// Sends a layer that was made just now where the image will go, while the build goes on.
    func beginUpload(of blob: Descriptor, madeBy stage: Int) {
        if request.pushes, plan.isPartOfImage(stage) { pusher.begin(blob, to: request.tags) }
    }

    /// Remembers a step that is being packed and put on record.
    func track(_ task: Task<Void, any Error>) { packing.withLock { $0.append(task) } }

    /// Waits until every step that was solved is on record. One that can't be has said so where it was needed.
    func awaitPacking() async {
        for task in packing.withLock({ $0 }) { _ = try? await task.value }
    }

    /// The digests of context files that earlier builds left; read when the first COPY asks.
    private var digests: ContentDigestCache {
        knownDigests.withLock { known in
            if let known { return known }
            let cache = ContentDigestCache(in: store.directoryForHints, name: "context-digests")
            known = cache
            return cache
        }
    }

    /// The same, for a source whose files an earlier build may have seen: those that were fetched for this one are new.
    func digests(of source: any CopySource) -> ContentDigestCache? {
        source.isFixed ? nil : digests
    }

    /// Keeps what was learnt of context files. A failure costs the next build time, and nothing else.
    func saveDigests() { try? knownDigests.withLock { $0 }?.save() }

    /// A place for a repository's files, until the build ends.
    func checkout(of address: GitAddress) throws -> GitCheckout {
        let checkout = try GitCheckout(address, in: store)
        checkouts.withLock { $0.append(checkout) }
        return checkout
    }

    func removeCheckouts() {
        for checkout in checkouts.withLock({ $0 }) { checkout.remove() }
    }

    /// Notes what this kernel lacks for the network of a RUN.
    func noteWeakNetwork(of order: RunOrder) throws(BuildError) {
        if order.network == .host, availableLandlockScopes() == 0 {
            try weaknesses.note(.reachableSockets)
        }
        if order.refusesMetadata, availableLandlockConnections() == 0 {
            try weaknesses.note(.racedMetadata)
        }
    }

    /// A refusal of an instruction, with its place in the Dockerfile.
    func error(
        _ category: BuildError.Category, _ message: String, at range: SourceRange,
        hint: String? = nil
    ) -> BuildError {
        BuildError(category, message, at: range, in: document, hint: hint)
    }
}
