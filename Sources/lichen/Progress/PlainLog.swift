import Build
import OCI

/// Progress as lines that never change: for logs, pipes and dumb terminals.
///
/// Each line of a step begins with its number, `#3 `, so that steps that run at the same time can be told apart.
struct PlainLog {
    /// Seconds between two lines about the same transfer.
    static let transferInterval = 5.0

    private struct Running {
        var lines = OutputLines()
        var started: Double
    }

    private let isVerbose: Bool
    private var steps: [BuildEvent.Step: Running] = [:]
    /// When each transfer was last spoken of.
    private var transfers: [BuildEvent.Transfer: Double] = [:]

    init(isVerbose: Bool = false) { self.isVerbose = isVerbose }

    /// The lines that this event is worth. `now`: seconds on a clock that only goes forward.
    mutating func lines(for event: BuildEvent, at now: Double) -> [String] {
        switch event {
        case .stepStarted(let step):
            steps[step] = Running(started: now)
            return ["\(step.mark) \(heading(step))"]
        case .stepOutput(let step, let bytes):
            let lines = steps[step, default: Running(started: now)].lines.append(bytes)
            return lines.map { outputLine($0, of: step, at: now) }
        case .stepCached(let step):
            return rest(of: step, at: now) + [
                "\(step.mark) \(heading(step))", "\(step.mark) cached",
            ]
        case .stepDone(let step, let seconds, _):
            return rest(of: step, at: now) + ["\(step.mark) done \(Elapsed.text(seconds))"]
        case .stepFailed(let step):
            let elapsed = steps[step].map { " after \(Elapsed.text(now - $0.started))" } ?? ""
            return rest(of: step, at: now) + ["\(step.mark) failed\(elapsed)"]
        case .stepCancelled(let step):
            return rest(of: step, at: now) + ["\(step.mark) stopped"]
        case .layerPacked(let step, let digest, let size):
            let name = isVerbose ? "\(digest)" : digest.short
            return ["\(step.mark) layer \(name) \(ByteCount.text(size))"]
        case .transferStarted, .transferProgress, .transferDone:
            return transferLines(for: event, at: now)
        case .notice(let text): return ["note: \(Sanitizer.clean(text))"]
        case .warning(let text): return ["warning: \(Sanitizer.clean(text))"]
        }
    }

    private func heading(_ step: BuildEvent.Step) -> String {
        isVerbose ? "\(step.title) (line \(step.line))" : step.title
    }

    private func outputLine(_ line: String, of step: BuildEvent.Step, at now: Double) -> String {
        let time = steps[step].map { Elapsed.text(now - $0.started) }
        let mark = isVerbose ? "\(step.mark) \(time ?? "")" : step.mark
        return line.isEmpty ? mark : "\(mark) \(line)"
    }

    /// The line that had no end when its step ended.
    private mutating func rest(of step: BuildEvent.Step, at now: Double) -> [String] {
        defer { steps[step] = nil }
        guard let line = steps[step]?.lines.finish() else { return [] }
        return [outputLine(line, of: step, at: now)]
    }

    private mutating func transferLines(for event: BuildEvent, at now: Double) -> [String] {
        switch event {
        case .transferStarted(let transfer):
            transfers[transfer] = now
            return ["\(title(transfer)) \(ByteCount.text(transfer.size))"]
        case .transferProgress(let transfer, let bytes):
            guard now - (transfers[transfer] ?? now) >= Self.transferInterval else { return [] }
            transfers[transfer] = now
            let amount = "\(ByteCount.text(bytes)) of \(ByteCount.text(transfer.size))"
            return ["\(title(transfer)) \(amount)"]
        case .transferDone(let transfer, let moved, let seconds):
            transfers[transfer] = nil
            let outcome = moved ? "done \(Elapsed.text(seconds))" : "not needed, it is there"
            return ["\(title(transfer)) \(ByteCount.text(transfer.size)) \(outcome)"]
        default: return []
        }
    }

    private func title(_ transfer: BuildEvent.Transfer) -> String {
        isVerbose ? "\(transfer.direction.rawValue) \(transfer.digest)" : transfer.title
    }
}
