import OCI
import Synchronization

/// What each step of a build gave, by its key: stages that come to the same step, of one platform or of several, have its result in
/// common, also where they come to it at the same time.
///
/// In one build the same key stands on the same layers: each key below it was answered once, too.
final class SharedSteps: Sendable {
    struct Result: Sendable {
        /// Nil where nothing changed.
        var layer: SolvedLayer?
        var created: Timestamp
    }

    private enum Entry {
        /// Those who came while the first one was at work.
        case open([CheckedContinuation<Result, any Error>])
        case done(Swift.Result<Result, any Error>)
    }

    private let entries = Mutex<[Digest: Entry]>([:])

    /// The result of a step: what another stage has got or is getting, else that of `solve`. An error ends all who wait.
    func result(
        of key: Digest, or solve: () async throws -> Result
    ) async throws -> (result: Result, isShared: Bool) {
        let isFirst = entries.withLock { entries in
            if entries[key] != nil { return false }
            entries[key] = .open([])
            return true
        }
        guard isFirst else { return (try await wait(for: key), true) }
        let outcome: Swift.Result<Result, any Error>
        do { outcome = .success(try await solve()) } catch { outcome = .failure(error) }
        finish(key, outcome)
        return (try outcome.get(), false)
    }

    private func wait(for key: Digest) async throws -> Result {
        try await withCheckedThrowingContinuation { continuation in
            let known = entries.withLock { entries -> Swift.Result<Result, any Error>? in
                switch entries[key] {
                case .done(let outcome)?: return outcome
                case .open(let waiting)?:
                    entries[key] = .open(waiting + [continuation])
                    return nil
                case nil: preconditionFailure("a step that nobody began")
                }
            }
            if let known { continuation.resume(with: known) }
        }
    }

    private func finish(_ key: Digest, _ outcome: Swift.Result<Result, any Error>) {
        let waiting = entries.withLock { entries -> [CheckedContinuation<Result, any Error>] in
            guard case .open(let waiting)? = entries[key] else { return [] }
            entries[key] = .done(outcome)
            return waiting
        }
        for continuation in waiting { continuation.resume(with: outcome) }
    }
}
