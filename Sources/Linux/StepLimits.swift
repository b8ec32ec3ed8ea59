/// What was asked for as the most that one RUN may take. What is nil, or not in the list, has the default of docs/limits.md.
public struct StepLimits: Sendable, Equatable, Codable {
    /// A limit of one process; getrlimit(2).
    public struct Resource: Sendable, Equatable, Codable {
        /// As a value: no limit.
        public static let unlimited = UInt64.max

        public var kind: ResourceKind
        public var soft, hard: UInt64

        public init(_ kind: ResourceKind, soft: UInt64, hard: UInt64) {
            self.kind = kind
            self.soft = soft
            self.hard = hard
        }
    }

    /// Bytes of all its processes together.
    public var memory: UInt64?
    /// Thousandths of a processor.
    public var processorShare: Int?
    /// Processes and threads together.
    public var processes: Int?
    /// The size of /dev/shm.
    public var sharedMemory: UInt64?
    /// Each kind once, by their names.
    public var resources: [Resource] = []

    public init() {}

    /// Nothing was asked for.
    public static let none = StepLimits()

    /// What was asked for, for a cache key: one word for each limit, in a fixed order.
    public var words: [String] {
        var words: [String] = []
        if let memory { words.append("memory=\(memory)") }
        if let processorShare { words.append("cpus=\(processorShare)") }
        if let processes { words.append("pids=\(processes)") }
        if let sharedMemory { words.append("shm=\(sharedMemory)") }
        let sorted = resources.sorted { $0.kind.rawValue < $1.kind.rawValue }
        return words + sorted.map { "\($0.kind.rawValue)=\($0.soft):\($0.hard)" }
    }
}
