/// The names of `--build-context`, and which of them a plan uses.
///
/// BuildKit's rule: such a name stands in for a stage of that name and for an image, whatever the case of a stage's name.
struct ContextNames {
    private let contexts: [String: NamedContext]
    private var used: Set<String> = []

    /// - Parameter contexts: by `NamedContext.canonicalName`.
    init(_ contexts: [String: NamedContext]) { self.contexts = contexts }

    subscript(name: String) -> NamedContext? {
        NamedContext.canonicalName(name).flatMap { contexts[$0] }
    }

    /// What `name` stands for, noted as used; nil where it is no context's.
    mutating func use(_ name: String) -> NamedContext? {
        guard let canonical = NamedContext.canonicalName(name), let found = contexts[canonical]
        else { return nil }
        used.insert(canonical)
        return found
    }

    var unused: [String] { contexts.keys.filter { !used.contains($0) }.sorted() }
}
