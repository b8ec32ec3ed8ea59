import Contexts
import Dockerfile
import Layers
import Linux
import OCI
import Policy
import Store
import Synchronization

/// What all stages of one build share, for whichever platform they are.
final class BuildSession: Sendable {
    let request: BuildRequest
    /// As it is written: plans add the triggers of bases.
    let document: DockerfileDocument
    /// One for each platform, in the order of the request.
    let plans: [Plan]
    /// What steps of this build gave.
    let steps = SharedSteps()
    let store: Store
    let images: ImageSource
    let pusher: ImagePusher
    let remote: RemoteFiles
    let archives: ArchiveReaderClient
    let worker: WorkerClient
    let observer: BuildObserver
    let context: BuildContext
    /// Nothing is carried out: a step that the store can't answer ends its stage.
    let isRehearsal: Bool
    /// Of the policy in force, for keys; found out while other things are waited for.
    let policyDigest: Task<Digest, any Error>
    let foresight: Foresight
    /// For RUNs of other machines; empty where the kernel has its own.
    let emulators: [Emulator]
    private let insecureLines = Mutex<Set<Int>>([])
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
        request: BuildRequest, document: DockerfileDocument, plans: [Plan], store: Store,
        images: ImageSource, worker: WorkerClient, remote: RemoteFiles,
        archives: ArchiveReaderClient, context: BuildContext, emulators: [Emulator],
        policyDigest: Task<Digest, any Error>, foresight: Foresight, weaknesses: Weaknesses,
        isRehearsal: Bool = false, observer: @escaping BuildObserver
    ) throws {
        self.request = request
        (self.document, self.plans) = (document, plans)
        self.store = store
        self.images = images
        pusher = ImagePusher(store: store, source: images, observer: observer)
        self.remote = remote
        self.archives = archives
        self.worker = worker
        self.context = context
        self.weaknesses = weaknesses
        self.isRehearsal = isRehearsal
        self.observer = observer
        self.emulators = emulators
        self.policyDigest = policyDigest
        self.foresight = foresight
        let clock = Timestamp(secondsSinceEpoch: wallClockSeconds())
        now = request.sourceDateEpoch.map { Timestamp(secondsSinceEpoch: $0) } ?? clock
    }

    /// Begins to find out the digest of the policy in force.
    static func beginPolicyDigest() -> Task<Digest, any Error> {
        Task.detached { digest(of: try .default) }
    }

    /// Of the policy of `RUN --security=insecure`.
    func insecurePolicyDigest() throws -> Digest { Self.digest(of: try .insecure) }

    private static func digest(of policy: SandboxPolicy) -> Digest {
        var key = CacheKey("policy")
        key.add(policy.canonicalBytes)
        return key.finish()
    }

    /// Lines of RUNs with `--security=insecure`.
    var insecureRuns: [Int] { insecureLines.withLock { $0.sorted() } }

    /// Tells of a RUN that is weaker than others, whether it will run or is known.
    func noteInsecure(at line: Int) {
        guard insecureLines.withLock({ $0.insert(line).inserted }) else { return }
        observer(
            .warning(
                "\(document.source.file):\(line): RUN --security=insecure is weaker than the default: all capabilities of its user namespace, and a floor in place of the list of allowed calls"
            ))
    }

    /// Steps that were solved, and those of them that the store answered. What only changes the config is no step.
    var stepCounts: (steps: Int, cached: Int) { counts.withLock { $0 } }

    /// Of all plans.
    var stepCount: Int { plans.reduce(0) { $0 + $1.stepCount } }

    /// Steps are counted through the plans, one after another.
    func stepsBefore(_ plan: Plan) -> Int {
        plans.prefix { $0.platform != plan.platform }.reduce(0) { $0 + $1.stepCount }
    }

    func countStep(isCached: Bool) {
        counts.withLock { counts in
            counts.steps += 1
            if isCached { counts.cached += 1 }
        }
    }

    /// Sends a layer that was made just now where the image will go, while the build goes on.
    func beginUpload(of blob: Descriptor, madeBy stage: Int, of plan: Plan) {
        if request.pushes, plan.isPartOfImage(stage) { pusher.begin(blob, to: request.tags) }
    }

    /// Where a layer of the image goes while it is packed. With times that are set, it may well be there already: then it waits to be
    /// asked for when it is whole.
    func earlyDestinations(of stage: Int, _ plan: Plan) -> [Reference] {
        request.pushes && request.sourceDateEpoch == nil && plan.isPartOfImage(stage)
            ? request.tags : []
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
        let checkout = try GitCheckout(
            address, in: store, secrets: RemoteSecrets(request.secrets))
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
