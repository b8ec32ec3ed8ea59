/// One attack of the corpus: what a step tries, and what has to come of it.
public struct AttackCase: Sendable {
    /// In docs/security.md.
    public var id: String
    /// What is tried, in a few words.
    public var attempt: String
    /// The arguments of the attacker; Sources/CAttack/attack.c has them all.
    public var words: [String]
    /// Whether the step's USER is another than root.
    public var isOtherUser = false
    public var expectation: Expectation
    /// Why it can't be tried here.
    public var obstacle: String?

    init(
        _ id: String, _ attempt: String, _ words: [String], _ expectation: Expectation,
        obstacle: String? = nil
    ) {
        self.id = id
        self.attempt = attempt
        self.words = words
        self.expectation = expectation
        self.obstacle = obstacle
    }

    /// The same by a user other than root.
    func byOtherUser(_ expectation: Expectation? = nil) -> AttackCase {
        var other = self
        other.isOtherUser = true
        other.attempt += ", as another user"
        other.expectation = expectation ?? self.expectation
        return other
    }
}
