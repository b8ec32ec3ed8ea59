import Build
import OCI

/// What is going on in a build, from its events alone: knows no terminal and no clock.
struct BoardState: Sendable {
    /// How many of a step's last lines are kept, for the time when it fails.
    static let keptLines = 40

    struct RunningStep: Sendable {
        var step: BuildEvent.Step
        /// Seconds on the caller's clock.
        var started: Double
        var tail: [String] = []
        fileprivate var lines = OutputLines()

        /// The last lines, the one that is being written among them.
        func lastLines(_ count: Int) -> [String] {
            Array((tail + [lines.partial].compactMap { $0 }).suffix(count))
        }
    }

    struct RunningTransfer: Sendable {
        var transfer: BuildEvent.Transfer
        var bytes: Int64 = 0
        var started: Double
    }

    /// Lines of output are left behind for good, too.
    var keepsOutput = false
    /// In the order of their start.
    private(set) var steps: [RunningStep] = []
    private(set) var transfers: [RunningTransfer] = []
    private(set) var doneCount = 0
    private(set) var cachedCount = 0
    private(set) var total = 0

    /// Takes an event; the lines that it leaves behind for good.
    mutating func take(_ event: BuildEvent, at now: Double) -> [String] {
        switch event {
        case .stepStarted(let step):
            total = max(total, step.total)
            steps.append(RunningStep(step: step, started: now))
            return []
        case .stepOutput(let step, let bytes):
            return takeOutput(bytes, of: step)
        case .stepCached(let step):
            total = max(total, step.total)
            remove(step)
            cachedCount += 1
            doneCount += 1
            return ["\(step.mark) \(step.title)  cached"]
        case .stepDone(let step, let seconds):
            remove(step)
            doneCount += 1
            return ["\(step.mark) \(step.title)  \(Elapsed.text(seconds))"]
        case .stepFailed(let step):
            let running = remove(step)
            let last = running?.lastLines(keepsOutput ? 0 : Self.keptLines) ?? []
            return ["\(step.mark) \(step.title)  failed"] + last.map { "\(step.mark) \($0)" }
        case .transferStarted(let transfer):
            transfers.append(RunningTransfer(transfer: transfer, started: now))
            return []
        case .transferProgress(let transfer, let bytes):
            guard let index = transfers.firstIndex(where: { $0.transfer == transfer }) else {
                return []
            }
            transfers[index].bytes = bytes
            return []
        case .transferDone(let transfer, let moved, let seconds):
            transfers.removeAll { $0.transfer == transfer }
            let size = ByteCount.text(transfer.size)
            // What the registry has is not worth a line that stays.
            return moved ? ["\(transfer.title)  \(size)  \(Elapsed.text(seconds))"] : []
        case .notice(let text): return ["note: \(Sanitizer.clean(text))"]
        case .warning(let text): return ["warning: \(Sanitizer.clean(text))"]
        }
    }

    private mutating func takeOutput(_ bytes: [UInt8], of step: BuildEvent.Step) -> [String] {
        guard let index = steps.firstIndex(where: { $0.step == step }) else { return [] }
        let lines = steps[index].lines.append(bytes)
        steps[index].tail += lines
        let excess = steps[index].tail.count - Self.keptLines
        if excess > 0 { steps[index].tail.removeFirst(excess) }
        return keepsOutput ? lines.map { "\(step.mark) \($0)" } : []
    }

    @discardableResult
    private mutating func remove(_ step: BuildEvent.Step) -> RunningStep? {
        guard let index = steps.firstIndex(where: { $0.step == step }) else { return nil }
        return steps.remove(at: index)
    }
}
