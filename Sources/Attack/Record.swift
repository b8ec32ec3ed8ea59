import Build
import Synchronization

/// What the attackers print, by the step that they are, as the builder tells of it.
final class Record: Sendable {
    private struct State {
        var file: AttackDockerfile?
        var failedLine: Int?
        var texts: [String: [UInt8]] = [:]
        var failures: [String: String] = [:]
        var remarks: [String] = []
    }

    private let state = Mutex(State())

    func begin(_ file: AttackDockerfile) {
        state.withLock { state in
            state.file = file
            state.failedLine = nil
        }
    }

    func take(_ event: BuildEvent) {
        state.withLock { state in
            switch event {
            case .stepStarted(let step):
                guard let attack = state.file?.cases[step.line] else { return }
                state.texts[attack.key] = []
            case .stepOutput(let step, let bytes):
                guard let attack = state.file?.cases[step.line] else { return }
                state.texts[attack.key, default: []] += bytes
            case .stepFailed(let step): state.failedLine = step.line
            // Warnings are of refused calls, which is what all this is about.
            case .notice(let text): if !state.remarks.contains(text) { state.remarks.append(text) }
            default: break
            }
        }
    }

    /// Notes why a build ended; the place of the attack at fault among the build's, or nil where it was none of them.
    func fail(_ error: BuildError) -> Int? {
        state.withLock { state in
            guard let line = state.failedLine, let file = state.file, let attack = file.cases[line]
            else { return nil }
            // With a single id there is no other user.
            let isLackOfIDs = error.category == .host && attack.isOtherUser
            guard isLackOfIDs || [.instruction, .refusedByPolicy].contains(error.category) else {
                return nil
            }
            state.failures[attack.key] = error.message
            return file.cases.keys.count { $0 < line }
        }
    }

    /// What an attack printed, nil where it never began; and why its step failed.
    func outcome(of attack: AttackCase) -> (text: String?, failure: String?) {
        state.withLock { state in
            (
                state.texts[attack.key].map { String(decoding: $0, as: UTF8.self) },
                state.failures[attack.key]
            )
        }
    }

    var remarks: [String] { state.withLock { $0.remarks } }
}

extension AttackCase {
    /// Tells it from all others.
    fileprivate var key: String { "\(isOtherUser) \(words)" }
}
