import Build
import OCI

/// Progress for machines: a JSON object a line. docs/progress.md has the schema, and a test compares the two.
struct JSONLog {
    /// Grows when a key or an event goes away or changes its meaning; what is added doesn't change it.
    static let schema: Int64 = 1

    private struct Running {
        var pieces = OutputPieces()
        var started: Double
    }

    private typealias Fields = [(key: String, value: JSONLine.Value?)]

    private let started: Double
    private var steps: [BuildEvent.Step: Running] = [:]

    /// - Parameter started: when the command began, on the clock of the events.
    init(started: Double) { self.started = started }

    /// The first line.
    ///
    /// - Parameter date: when the command began, in seconds since 1970.
    func begin(_ command: String, date: Int64) -> String {
        line(
            "started", at: started,
            [
                ("schema", .integer(Self.schema)), ("version", .text(lichenVersion)),
                ("command", .text(command)), ("date", .integer(date)),
            ])
    }

    /// The last line of a command that went well.
    func end(_ summary: Summary, at now: Double) -> String {
        line(
            "finished", at: now,
            [
                ("digest", .text(summary.digest.description)),
                ("config", summary.config.map { .text($0.description) }),
                ("steps", summary.steps.map { .integer(Int64($0.all)) }),
                ("cached", summary.steps.map { .integer(Int64($0.cached)) }),
                ("downloaded", .integer(summary.downloadedBytes)),
                ("uploaded", .integer(summary.uploadedBytes)),
                ("seconds", .seconds(summary.seconds)),
                ("memory", summary.memoryBytes.map { .integer($0) }),
                (
                    "weaker",
                    summary.weaker.isEmpty ? nil : .text(summary.weaker.joined(separator: ","))
                ),
            ])
    }

    /// The last line of a command that did not.
    func end(_ error: ErrorReport, at now: Double) -> String {
        line(
            "error", at: now,
            [
                ("status", .integer(Int64(error.status))), ("message", .text(error.message)),
                ("excerpt", error.excerpt.map { .text($0) }),
                ("hint", error.hint.map { .text($0) }),
            ])
    }

    /// The lines that this event is worth.
    mutating func lines(for event: BuildEvent, at now: Double) -> [String] {
        switch event {
        case .stepStarted(let step):
            steps[step] = Running(started: now)
            return [line("step-started", at: now, Self.fields(step))]
        case .stepOutput(let step, let bytes):
            let piece = steps[step, default: Running(started: now)].pieces.take(bytes)
            return output(piece, of: step, at: now)
        case .stepCached(let step): return [line("step-cached", at: now, Self.fields(step))]
        case .stepDone(let step, let seconds, let isPacking):
            let ending: Fields = [("seconds", .seconds(seconds)), ("packing", .flag(isPacking))]
            return end(of: step, "step-done", at: now, ending)
        case .stepFailed(let step): return end(of: step, "step-failed", at: now)
        case .stepCancelled(let step): return end(of: step, "step-cancelled", at: now)
        case .layerPacked(let step, let digest, let size):
            let layer: Fields = [("digest", .text(digest.description)), ("size", .integer(size))]
            return [line("layer", at: now, Self.place(step) + layer)]
        case .transferStarted, .transferProgress, .transferDone:
            return [transferLine(event, at: now)]
        case .notice(let text): return [line("notice", at: now, [("message", .text(text))])]
        case .warning(let text): return [line("warning", at: now, [("message", .text(text))])]
        }
    }

    // MARK: - Steps

    private static func place(_ step: BuildEvent.Step) -> Fields {
        [
            ("step", .integer(Int64(step.number))), ("total", .integer(Int64(step.total))),
            ("line", .integer(Int64(step.line))), ("stage", .text(step.stage)),
            ("platform", step.platform.isEmpty ? nil : .text(step.platform)),
        ]
    }

    private static func fields(_ step: BuildEvent.Step) -> Fields {
        place(step) + [("text", .text(step.text))]
    }

    private func output(_ piece: OutputPieces.Piece?, of step: BuildEvent.Step, at now: Double)
        -> [String]
    {
        guard let piece else { return [] }
        let data: Fields = [("data", .text(piece.data)), ("base64", .flag(piece.isBase64))]
        return [line("step-output", at: now, Self.place(step) + data)]
    }

    /// What was held back of its output, and its end; without `ending`, the time since its start.
    private mutating func end(
        of step: BuildEvent.Step, _ event: String, at now: Double, _ ending: Fields? = nil
    ) -> [String] {
        var running = steps.removeValue(forKey: step) ?? Running(started: now)
        let rest = output(running.pieces.finish(), of: step, at: now)
        let fields = Self.fields(step) + (ending ?? [("seconds", .seconds(now - running.started))])
        return rest + [line(event, at: now, fields)]
    }

    // MARK: - Transfers

    private func transferLine(_ event: BuildEvent, at now: Double) -> String {
        switch event {
        case .transferStarted(let transfer):
            line("transfer-started", at: now, Self.fields(transfer))
        case .transferProgress(let transfer, let bytes):
            line(
                "transfer-progress", at: now, Self.fields(transfer) + [("bytes", .integer(bytes))])
        case .transferDone(let transfer, let moved, let seconds):
            line(
                "transfer-done", at: now,
                Self.fields(transfer) + [("moved", .flag(moved)), ("seconds", .seconds(seconds))])
        default: preconditionFailure("no event of a transfer")
        }
    }

    private static func fields(_ transfer: BuildEvent.Transfer) -> Fields {
        [
            ("direction", .text(transfer.direction.rawValue)),
            ("digest", .text(transfer.digest.description)), ("size", .integer(transfer.size)),
        ]
    }

    private func line(_ event: String, at now: Double, _ fields: Fields) -> String {
        let head: Fields = [("event", .text(event)), ("time", .seconds(now - started))]
        return JSONLine(head + fields).text
    }
}
