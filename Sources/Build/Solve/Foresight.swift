import OCI
import Store

/// Guesses whether a build has work to do, before a registry is asked: a Dockerfile that was never built here to its end, with these
/// arguments, has steps that the store does not know.
///
/// A wrong guess costs a moment: a worker that nobody needs, or one that starts when its step has come.
struct Foresight: Sendable {
    private let key: Digest
    private let store: Store
    /// Whether a step will most likely be carried out.
    let expectsWork: Bool

    init(_ text: DockerfileText, _ request: BuildRequest, _ store: Store) {
        var key = CacheKey("a build that came to its end")
        key.add(text.bytes)
        key.add(request.target)
        key.add(request.buildArguments.sorted { $0.key < $1.key }.flatMap { [$0.key, $0.value] })
        key.add(request.platforms.map(\.description))
        self.key = key.finish()
        self.store = store
        // A record that can't be read is as good as none.
        expectsWork = !request.usesCache || (try? store.step(self.key)) == nil
    }

    /// Puts on record that this build has come to its end. It stands among the steps, as one that changed nothing, and goes as they go.
    func remember(at time: Timestamp) {
        if !expectsWork { return }
        // Without it the next guess is wrong, and nothing else.
        try? store.keepStep(
            key, StepRecord(layer: nil, compressor: nil, basis: key, created: time))
    }
}
