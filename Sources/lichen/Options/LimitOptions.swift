import ArgumentParser
import Build
import Linux

/// What one RUN may take; docs/limits.md has the defaults.
struct LimitOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "The memory of a RUN, all its processes together: 512m, 2g.", valueName: "size"),
        transform: LimitValues.memory)
    var memory: UInt64?

    @Option(
        help: ArgumentHelp(
            "The processors of a RUN, as a number like 1.5; needs a delegated cgroup v2.",
            valueName: "n"),
        transform: LimitValues.processorShare)
    var cpus: Int?

    @Option(
        help: ArgumentHelp(
            "The processes and threads of a RUN; 4096 by default.", valueName: "n"),
        transform: LimitValues.processes)
    var pids: Int?

    @Option(
        name: .customLong("shm-size"),
        help: ArgumentHelp("The size of /dev/shm in a RUN; 64m by default.", valueName: "size"),
        transform: LimitValues.bytes)
    var sharedMemory: UInt64?

    @Option(
        name: .customLong("ulimit"),
        help: ArgumentHelp(
            "A limit of each process of a RUN; may be repeated.",
            discussion: """
                NAME is as, core, cpu, data, fsize, memlock, msgqueue, nice, nofile, nproc, rtprio, \
                rttime, sigpending or stack; values are those of setrlimit(2), -1 for none.
                """,
            valueName: "name=soft[:hard]"),
        transform: LimitValues.resource)
    var resources: [StepLimits.Resource] = []

    mutating func validate() throws {
        for (index, resource) in resources.enumerated()
        where resources[..<index].contains(where: { $0.kind == resource.kind }) {
            throw ValidationError("two --ulimit are of \(resource.kind.rawValue)")
        }
    }

    var limits: StepLimits {
        var limits = StepLimits()
        limits.memory = memory
        limits.processorShare = cpus
        limits.processes = pids
        limits.sharedMemory = sharedMemory
        limits.resources = resources
        return limits
    }
}

/// Limits as they are typed; the same forms as with Docker.
enum LimitValues {
    /// Less is too little for a process to start.
    private static let leastMemory: UInt64 = 6 << 20
    private static let powers: [Character: UInt64] = ["b": 0, "k": 10, "m": 20, "g": 30, "t": 40]

    /// `64m`, `2GiB`, `1024`: units are powers of 1024.
    static func bytes(_ text: String) throws -> UInt64 {
        let digits = text.prefix { $0.isASCII && $0.isNumber }
        var unit = text.dropFirst(digits.count).lowercased()[...]
        let power = unit.popFirst().map { powers[$0] } ?? 0
        let isWhole = unit.isEmpty || power != 0 && ["b", "ib"].contains(unit)
        guard let count = UInt64(digits), let power, isWhole else {
            throw ValidationError("write it as in 512m or 2g")
        }
        if count == 0 { throw ValidationError("it is nothing") }
        if count > UInt64(Int64.max) >> power { throw ValidationError("more than there can be") }
        return count << power
    }

    static func memory(_ text: String) throws -> UInt64 {
        let count = try bytes(text)
        if count < leastMemory { throw ValidationError("at least 6m") }
        return count
    }

    /// Thousandths of a processor.
    static func processorShare(_ text: String) throws -> Int {
        let isDecimal = text.allSatisfy { $0.isASCII && $0.isNumber || $0 == "." }
        guard isDecimal, let count = Double(text), (0.01...8192).contains(count) else {
            throw ValidationError("a number from 0.01 to 8192")
        }
        return Int((count * 1000).rounded())
    }

    static func processes(_ text: String) throws -> Int {
        guard let count = Int(text), (1...4_000_000).contains(count) else {
            throw ValidationError("a number from 1 to 4000000")
        }
        return count
    }

    /// `nofile=1024:2048`; a value alone is both, -1 is no limit.
    static func resource(_ text: String) throws -> StepLimits.Resource {
        let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2 else { throw ValidationError("write it as NAME=SOFT[:HARD]") }
        guard let kind = ResourceKind(rawValue: String(parts[0])) else {
            let isHeeded = !["rss", "locks"].contains(parts[0])
            throw ValidationError(
                isHeeded
                    ? "\"\(Sanitizer.clean(String(parts[0])))\" is none of "
                        + ResourceKind.allCases.map(\.rawValue).sorted().joined(separator: ", ")
                    : "Linux heeds no limit \(parts[0]); --memory limits memory")
        }
        let values = parts[1].split(separator: ":", omittingEmptySubsequences: false)
        guard (1...2).contains(values.count), let soft = value(values[0]),
            let hard = value(values[values.count - 1])
        else { throw ValidationError("values are numbers, or -1 for no limit") }
        if soft > hard { throw ValidationError("the soft limit is above the hard one") }
        return StepLimits.Resource(kind, soft: soft, hard: hard)
    }

    private static func value(_ text: Substring) -> UInt64? {
        text == "-1" ? StepLimits.Resource.unlimited : UInt64(text)
    }
}
