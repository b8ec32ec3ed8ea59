import Dispatch
import Linux
import Synchronization

/// Finds out what a host allows a build.
public struct Examination: Sendable {
    let place: Place
    let definitions: [FactDefinition]

    /// How long a probe may take; a hanging one is `unknown` then. All run at the same time.
    public static let limitMilliseconds: Int32 = 1000

    public init(_ place: Place) { self.init(place, FactCatalog.all) }

    init(_ place: Place, _ definitions: [FactDefinition]) {
        self.place = place
        self.definitions = definitions
    }

    /// Measures the facts of these names, or all, and gives them in the order of the catalog.
    public func facts(_ names: Set<String>? = nil) -> [Fact] {
        let wanted = definitions.filter { names?.contains($0.name) ?? true }
        let results = Results(count: wanted.count)
        for (index, definition) in wanted.enumerated() {
            let place = place
            startThread { results.set(index, definition.measure(place)) }
        }
        // Kernel probes have a limit of their own; this one is for files of a disk that does not answer.
        results.wait(milliseconds: Int(Self.limitMilliseconds) + 300)
        return zip(wanted, results.findings).map { definition, finding in
            definition.fact(finding ?? .unknown("no answer in \(Self.limitMilliseconds) ms"))
        }
    }
}

/// What the threads of an examination bring together. A late one finds nobody waiting, and that is all.
private final class Results: Sendable {
    private let state: Mutex<[Finding?]>
    private let arrived = DispatchSemaphore(value: 0)
    private let count: Int

    init(count: Int) {
        self.count = count
        state = Mutex(Array(repeating: nil, count: count))
    }

    func set(_ index: Int, _ finding: Finding) {
        state.withLock { $0[index] = finding }
        arrived.signal()
    }

    func wait(milliseconds: Int) {
        let end = DispatchTime.now() + .milliseconds(milliseconds)
        for _ in 0..<count where arrived.wait(timeout: end) == .timedOut { return }
    }

    var findings: [Finding?] { state.withLock { $0 } }
}
