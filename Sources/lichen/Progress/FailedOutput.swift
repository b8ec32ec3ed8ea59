import Build

/// The last lines of each running step, which are shown when it fails and forgotten otherwise.
struct FailedOutput {
    /// How many lines are kept.
    static let lineCount = 40

    private struct Tail {
        var lines = OutputLines()
        var kept: [String] = []
    }

    private var tails: [BuildEvent.Step: Tail] = [:]

    /// Takes an event; the lines to show, which are none but for a step that failed.
    mutating func lines(for event: BuildEvent) -> [String] {
        switch event {
        case .stepOutput(let step, let bytes):
            var tail = tails.removeValue(forKey: step) ?? Tail()
            tail.kept += tail.lines.append(bytes)
            if tail.kept.count > Self.lineCount {
                tail.kept.removeFirst(tail.kept.count - Self.lineCount)
            }
            tails[step] = tail
            return []
        case .stepDone(let step, _, _), .stepCached(let step), .stepCancelled(let step):
            tails[step] = nil
            return []
        case .stepFailed(let step):
            guard var tail = tails.removeValue(forKey: step) else { return [] }
            if let rest = tail.lines.finish() { tail.kept.append(rest) }
            return ["\(step.mark) \(step.title)"] + tail.kept.map { "\(step.mark) \($0)" }
        default: return []
        }
    }
}
