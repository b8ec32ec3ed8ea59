/// SplitMix64: the same numbers everywhere, for ever, from one seed.
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    init(_ seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var z = state
        z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
        z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
        return z ^ (z >> 31)
    }

    mutating func below(_ bound: Int) -> Int { Int(next() % UInt64(bound)) }

    mutating func pick<Element>(_ elements: [Element]) -> Element {
        elements[below(elements.count)]
    }
}

/// Random file operations in the words of Fixtures/fsops.c: one list for each RUN of an image.
struct Sequence: Sendable {
    var phases: [[String]]

    /// As a person reads it, and as it is run again.
    var text: String {
        phases.enumerated().map { "RUN \($0 + 1):\n  " + $1.joined(separator: "\n  ") }
            .joined(separator: "\n")
    }

    init(phases: [[String]]) { self.phases = phases }

    /// The sequence of a seed. It has few names, so that operations meet.
    init(seed: UInt64, withTimesBefore1970: Bool = true) {
        var random = SeededGenerator(seed)
        var names = ["a", "b", "c", "d", "e"]
        names += ["d/a", "d/b", "d/e", "d/e/a", "d/e/b", "e/a", "e/c", "e/c/a"]
        names += (0..<2).map { _ in random.pick(Self.oddNames) }
        phases = [14, 10, 10].map { count in
            var operations: [String] = []
            for _ in 0..<(count / 2 + random.below(count)) {
                operations += Self.operation(names, &random)
            }
            return operations
        }
        // A base that nothing can be made of shows nothing.
        phases[0].insert(contentsOf: ["k d", "k d/e", "k e", "w a 100 1", "l a d/a"], at: 0)
        if withTimesBefore1970 { return }
        for index in phases.indices {
            phases[index].removeAll { $0.contains(" -1 ") || $0.contains(" -86400 ") }
        }
    }

    private static let oddNames = [
        "%FF%FEnot-utf8", "space%20and%0Aline", "-dash", "..dots", ".hidden", "a-b", "a.b", "d-e",
        "d.e/x", "%25XX", "%C3%A9", "back%5Cslash", "*", "[a]", ".wh",
        String(repeating: "n", count: 255), "d/" + String(repeating: "m", count: 253),
        String(repeating: "p", count: 90) + "%FF" + String(repeating: "q", count: 60),
    ]

    private static let targets = [
        "a", "b", "d", "e", "d/a", "nowhere", "/etc/passwd", "../..", ".", "%FF", "a%0Ab",
        String(repeating: "t", count: 150), String(repeating: "long/", count: 200),
    ]

    /// Few, so that a time comes again; before 1970, and where ustar's numbers end.
    private static let times = [
        "1000000000", "1000000000", "1000000001", "0", "-1", "-86400", "5000000000", "8589934592",
    ]

    private static func operation(_ names: [String], _ random: inout SeededGenerator) -> [String] {
        let path = random.pick(names)
        let size = random.pick([0, 1, 100, 100, 511, 512, 513, 5000])
        let seed = random.below(3)
        func timed(_ operation: String) -> [String] {
            random.below(10) < 7
                ? [operation, "u \(path) \(random.pick(Self.times)) 0"] : [operation]
        }
        switch random.below(100) {
        case 0..<14: return timed("w \(path) \(size) \(seed)")
        case 14..<19: return ["x \(path) 0 \(seed)"]
        case 19..<22: return ["n \(path)"]
        case 22..<27: return timed("a \(path) \(size) \(seed)")
        case 27..<30: return timed("t \(path) \(size)")
        case 30..<42: return ["r \(path) \(random.pick(names))"]
        case 42..<51: return ["l \(path) \(random.pick(names))"]
        case 51..<56: return timed("s \(path) \(random.pick(Self.targets))")
        case 56..<61:
            return ["m \(path) \(random.pick(["600", "644", "644", "4755", "2711", "1777", "0"]))"]
        case 61..<66: return ["o \(path) \(random.pick(["0 0", "0 0", "33 33", "65535 1000"]))"]
        case 66..<70: return ["u \(path) \(random.pick(Self.times)) \(random.pick([0, 0, 500]))"]
        case 70..<77: return ["d \(path)"]
        case 77..<81: return ["d \(path)", "k \(path)"]
        case 81..<83: return ["d \(path)"] + timed("w \(path) \(size) \(seed)")
        case 83..<88: return ["k \(path)"]
        case 88..<90: return timed("p \(path)")
        case 90..<94:
            return ["g \(path) user.\(random.pick(["x", "y", "lichen"])) v\(random.below(2))"]
        case 94: return ["G \(path) user.x"]
        case 95, 96: return ["c \(path) \(random.pick(["1024 0", "1024 0", "8192 4096"]))"]
        case 97: return timed("h \(path) \(random.pick([20_000, 300_000])) \(seed)")
        case 98: return ["D \(path) \(random.pick([3, 20]))"]
        default: return ["S \(path)"]
        }
    }
}
