/// What became of one attack.
public struct AttackResult: Sendable, Equatable {
    public enum Verdict: String, Sendable {
        case held, broken, notTried
    }

    public var id: String
    public var attempt: String
    public var verdict: Verdict
    /// What broke, why it was not tried, or what is known to be weaker.
    public var details: [String]
}

/// What became of all of them.
public struct AttackReport: Sendable {
    public var results: [AttackResult]
    /// What the builder said of this place.
    public var remarks: [String]

    public func count(_ verdict: AttackResult.Verdict) -> Int {
        results.count { $0.verdict == verdict }
    }

    /// Whether nothing that was tried broke.
    public var holds: Bool { count(.broken) == 0 }
}

extension AttackCase {
    /// - Parameters:
    ///   - text: what the attacker printed; nil where its step never began.
    ///   - failure: why its step ended before its end.
    ///   - harm: what was seen from outside.
    func result(_ text: String?, failure: String?, harm: [String] = []) -> AttackResult {
        var result = AttackResult(id: id, attempt: attempt, verdict: .held, details: [])
        if let obstacle {
            result.verdict = .notTried
            result.details = [obstacle]
            return result
        }
        guard let text, !text.isEmpty || failure == nil else {
            result.verdict = .notTried
            result.details = [failure ?? "its step did not run"]
            return result
        }
        let breaches = expectation.breaches(in: Expectation.answers(in: text))
        let broken = breaches.new + harm + (failure.map { ["its step ended early: \($0)"] } ?? [])
        result.verdict = broken.isEmpty ? .held : .broken
        result.details = broken + breaches.known.map { "known: \($0)" }
        return result
    }
}
