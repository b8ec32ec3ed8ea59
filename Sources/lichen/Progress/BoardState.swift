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

    /// A step that is done, and its layer not yet.
    struct PackingStep: Sendable {
        var step: BuildEvent.Step
        var seconds: Double
    }

    struct RunningTransfer: Sendable {
        var transfer: BuildEvent.Transfer
        var bytes: Int64 = 0
        var rate: TransferRate
    }

    /// Lines of output are left behind for good, too.
    var keepsOutput = false
    /// In the order of their start.
    private(set) var steps: [RunningStep] = []
    private(set) var packing: [PackingStep] = []
    private(set) var transfers: [RunningTransfer] = []
    private(set) var doneCount = 0
    private(set) var cachedCount = 0
    private(set) var total = 0

    /// Takes an event; the lines that it leaves behind for good.
    mutating func take(_ event: BuildEvent, at now: Double) -> [DisplayLine] {
        switch event {
        case .stepStarted(let step):
            total = max(total, step.total)
            steps.append(RunningStep(step: step, started: now))
            return []
        case .stepOutput(let step, let bytes): return takeOutput(bytes, of: step)
        case .stepCached, .stepDone, .layerPacked, .stepFailed, .stepCancelled:
            return takeEnd(event)
        case .transferStarted, .transferProgress, .transferDone:
            return takeTransfer(event, at: now)
        case .notice(let text):
            return [DisplayLine("note: \(Sanitizer.clean(text))", isWhole: true)]
        case .warning(let text):
            return [DisplayLine("warning: \(Sanitizer.clean(text))", .warning, isWhole: true)]
        }
    }

    /// The lines for what will not be heard of any more.
    mutating func close() -> [DisplayLine] {
        defer { packing = [] }
        return packing.map { Self.done($0, size: nil) }
    }

    private mutating func takeEnd(_ event: BuildEvent) -> [DisplayLine] {
        switch event {
        case .stepCached(let step):
            total = max(total, step.total)
            doneCount += 1
            cachedCount += 1
            return [DisplayLine(Margin.line("cached", step.title), .dim)]
        case .stepDone(let step, let seconds, let isPacking):
            let lines = rest(of: remove(step))
            doneCount += 1
            let done = PackingStep(step: step, seconds: seconds)
            if !isPacking { return lines + [Self.done(done, size: nil)] }
            packing.append(done)
            return lines
        case .layerPacked(let step, _, let size):
            guard let index = packing.firstIndex(where: { $0.step == step }) else { return [] }
            return [Self.done(packing.remove(at: index), size: size)]
        case .stepFailed(let step):
            let last = remove(step)?.lastLines(keepsOutput ? 0 : Self.keptLines) ?? []
            return [DisplayLine(Margin.line("failed", step.title), .failure)]
                + last.map { DisplayLine(Margin.output("", $0), isWhole: true) }
        case .stepCancelled(let step):
            let lines = rest(of: remove(step))
            return lines + [DisplayLine(Margin.line("stopped", step.title), .dim)]
        default: return []
        }
    }

    private static func done(_ done: PackingStep, size: Int64?) -> DisplayLine {
        DisplayLine(
            Margin.line(Elapsed.text(done.seconds), done.step.title),
            ending: size.map { "  \(ByteCount.text($0))" } ?? "")
    }

    /// The line that had no end when its step ended, where output is kept.
    private func rest(of running: RunningStep?) -> [DisplayLine] {
        guard keepsOutput, let running, let line = running.lines.partial else { return [] }
        return [Self.kept(line, of: running.step)]
    }

    private static func kept(_ line: String, of step: BuildEvent.Step) -> DisplayLine {
        DisplayLine(Margin.output(step.mark, line), .dim, isWhole: true)
    }

    private mutating func takeOutput(_ bytes: [UInt8], of step: BuildEvent.Step) -> [DisplayLine] {
        guard let index = steps.firstIndex(where: { $0.step == step }) else { return [] }
        let lines = steps[index].lines.append(bytes)
        steps[index].tail += lines
        let excess = steps[index].tail.count - Self.keptLines
        if excess > 0 { steps[index].tail.removeFirst(excess) }
        return keepsOutput ? lines.map { Self.kept($0, of: step) } : []
    }

    private mutating func takeTransfer(_ event: BuildEvent, at now: Double) -> [DisplayLine] {
        switch event {
        case .transferStarted(let transfer):
            transfers.append(RunningTransfer(transfer: transfer, rate: TransferRate(started: now)))
        case .transferProgress(let transfer, let bytes):
            guard let index = transfers.firstIndex(where: { $0.transfer == transfer }) else {
                break
            }
            transfers[index].bytes = bytes
            transfers[index].rate.take(bytes, at: now)
        case .transferDone(let transfer, let moved, let seconds):
            transfers.removeAll { $0.transfer == transfer }
            // What the registry has is not worth a line that stays.
            if !moved { break }
            let size = "  \(ByteCount.text(transfer.size))"
            let line = Margin.line(Elapsed.text(seconds), transfer.title)
            return [DisplayLine(line, ending: size, .dim)]
        default: break
        }
        return []
    }

    @discardableResult
    private mutating func remove(_ step: BuildEvent.Step) -> RunningStep? {
        guard let index = steps.firstIndex(where: { $0.step == step }) else { return nil }
        return steps.remove(at: index)
    }
}
