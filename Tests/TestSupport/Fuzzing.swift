import Glibc
import Linux
import Synchronization

/// A small generator, so that a failing seed can be run again.
public struct SplitMix: RandomNumberGenerator {
    private var state: UInt64

    public init(seed: UInt64) { state = seed }

    public mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}

/// Inputs that nobody meant, one after another until the time is over.
///
/// A slice of a few seconds in each run of the tests, longer on a machine that is so slow that it would be next to nothing; LICHEN_FUZZ_SECONDS and LICHEN_FUZZ_SEED say otherwise (`scripts/fuzz`).
/// LICHEN_FUZZ_INPUT names a file that holds the last input: what a crash came from.
public struct Fuzzing: Sendable {
    public let seconds: Int
    public let seed: UInt64
    /// Inputs that there are at least, however long they take.
    private let least: Int
    private let seeds: [[UInt8]]
    private let fragments: [[UInt8]]

    /// - Parameters:
    ///   - seeds: what makes sense.
    ///   - fragments: pieces that mean something, so that mutations reach beyond the first check.
    ///   - seconds: of the slice.
    ///   - least: how many inputs there are, even if it takes longer.
    public init(seeds: [[UInt8]], fragments: [String], seconds: Int = 2, least: Int = 200) {
        self.init(
            seeds: seeds, fragments: fragments.map { Array($0.utf8) }, seconds: seconds,
            least: least)
    }

    public init(seeds: [[UInt8]], fragments: [[UInt8]], seconds: Int = 2, least: Int = 200) {
        self.least = least
        self.seconds = Self.setting("LICHEN_FUZZ_SECONDS") ?? seconds
        seed = UInt64(Self.setting("LICHEN_FUZZ_SEED") ?? 1)
        self.seeds = seeds.isEmpty ? [[]] : seeds
        self.fragments = fragments.isEmpty ? [[]] : fragments
    }

    /// What came of it.
    public struct Outcome: Sendable {
        public var rounds = 0
        public var slowest = Duration.zero
        /// The input that took longest.
        public var slowestInput: [UInt8] = []
    }

    /// Calls `exercise` with one input after another. What it throws ends the run, with the input in words.
    public func run(_ exercise: ([UInt8]) throws -> Void) throws -> Outcome {
        var generator = SplitMix(seed: seed)
        let clock = ContinuousClock()
        let end = clock.now + .seconds(seconds)
        var outcome = Outcome()
        let record = InputRecord()
        let watch = Watch()
        defer { watch.stop() }
        while clock.now < end || outcome.rounds < least {
            let input = mutated(seeds.randomElement(using: &generator) ?? [], &generator)
            let started = clock.now
            record?.keep(input)
            watch.begin("LICHEN_FUZZ_SEED=\(seed), round \(outcome.rounds)")
            do { try exercise(input) } catch {
                throw TestSupportError(
                    "\(error)\nLICHEN_FUZZ_SEED=\(seed), round \(outcome.rounds), input "
                        + String(decoding: input, as: UTF8.self).debugDescription)
            }
            let time = clock.now - started
            if time > outcome.slowest { (outcome.slowest, outcome.slowestInput) = (time, input) }
            outcome.rounds += 1
        }
        return outcome
    }

    private func mutated(_ seed: [UInt8], _ generator: inout SplitMix) -> [UInt8] {
        var bytes = seed
        for _ in 0..<Int.random(in: 1...12, using: &generator) {
            let index = Int.random(in: 0...bytes.count, using: &generator)
            switch Int.random(in: 0..<6, using: &generator) {
            case 0 where index < bytes.count:
                bytes[index] = UInt8.random(in: 0...255, using: &generator)
            case 1 where index < bytes.count:
                let end = min(bytes.count, index + Int.random(in: 1...20, using: &generator))
                bytes.removeSubrange(index..<end)
            case 2 where index < bytes.count:
                let end = min(bytes.count, index + Int.random(in: 1...40, using: &generator))
                bytes.insert(contentsOf: bytes[index..<end], at: index)
            case 3:
                // A part of another input: two things that are right alone.
                let other = seeds.randomElement(using: &generator) ?? []
                let start = Int.random(in: 0...other.count, using: &generator)
                bytes.insert(contentsOf: other[start...].prefix(60), at: index)
            default:
                bytes.insert(
                    contentsOf: fragments.randomElement(using: &generator) ?? [], at: index)
            }
        }
        return bytes
    }

    fileprivate static func setting(_ name: String) -> Int? {
        getenv(name).flatMap { Int(String(cString: $0)) }
    }
}

/// The last input, in a file.
private struct InputRecord {
    private let file: CInt

    init?() {
        guard let path = getenv("LICHEN_FUZZ_INPUT") else { return nil }
        file = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0o600)
        if file < 0 { return nil }
    }

    func keep(_ input: [UInt8]) {
        ftruncate(file, off_t(input.count))
        _ = input.withUnsafeBytes { pwrite(file, $0.baseAddress, $0.count, 0) }
    }
}

/// Ends a process whose reader does not come to an end.
private final class Watch: Sendable {
    private struct State: Sendable {
        var round = ""
        var started = ContinuousClock().now
        var isOver = false
    }

    private static let patience = Duration.seconds(300)
    private let state = Mutex(State())

    init() {
        startThread { [weak self] in
            while true {
                usleep(500_000)
                guard let state = self?.state.withLock({ $0 }), !state.isOver else { return }
                if ContinuousClock().now - state.started > Self.patience {
                    let text = "an input takes longer than \(Self.patience): \(state.round)\n"
                    _ = write(2, text, text.utf8.count)
                    abort()
                }
            }
        }
    }

    func begin(_ round: String) {
        state.withLock { ($0.round, $0.started) = (round, ContinuousClock().now) }
    }

    func stop() { state.withLock { $0.isOver = true } }
}
