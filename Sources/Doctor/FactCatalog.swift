/// All facts, in the order in which they are shown. docs/doctor.md has the same list.
public enum FactCatalog {
    static let all: [FactDefinition] =
        systemFacts + namespaceFacts + idFacts + mountFacts + callFacts + confinementFacts
        + resourceFacts + storeFacts + networkFacts + platformFacts

    /// Name, group and meaning of each.
    public static var entries: [(name: String, group: FactGroup, meaning: String)] {
        all.map { ($0.name, $0.group, $0.meaning) }
    }

    public static var names: [String] { all.map(\.name) }
}
