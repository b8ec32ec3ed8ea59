import CSeccomp
import Policy
import Testing

/// Random profiles: the program and the explanation both say what the documented meaning says.
@Suite struct `Any profile` {
    /// Calls with arguments of all widths.
    private static let calls = [
        "socket", "ioctl", "clone", "unshare", "mknod", "prctl", "read", "chmod",
    ]
    private static let widths: [String: [UInt64]] = [
        "socket": [32, 32, 32], "ioctl": [32, 32, 64], "clone": [32, 64, 64, 64, 64],
        "unshare": [64],
        "mknod": [64, 16, 32], "prctl": [32, 64, 64, 64, 64], "read": [32, 64, 64],
        "chmod": [64, 16],
    ]
    private static let actions = ["ALLOW", "ERRNO", "LOG", "KILL_PROCESS", "TRAP"]
    private static let returned: [String: UInt32] = [
        "ALLOW": Returned.allow, "ERRNO": Returned.eperm, "LOG": 0x7FFC_0000,
        "KILL_PROCESS": Returned.killProcess, "TRAP": 0x0003_0000,
    ]
    private static let comparisons = ["NE", "LT", "LE", "EQ", "GE", "GT", "MASKED_EQ"]

    private struct RandomRule {
        var names: [String]
        var action: String
        var conditions: [(index: Int, comparison: String, value: UInt64, second: UInt64)]

        var json: String {
            let args = conditions.map { condition($0.index, $0.comparison, $0.value, $0.second) }
            let list = names.map { "\"\($0)\"" }.joined(separator: ",")
            return """
                {"names": [\(list)], "action": "SCMP_ACT_\(action)", "args": [\(args.joined(separator: ","))]}
                """
        }

        func holds(_ arguments: [UInt64], widths: [UInt64]) -> Bool {
            conditions.allSatisfy { condition in
                let width = widths[condition.index]
                let seen =
                    width == 64
                    ? arguments[condition.index] : arguments[condition.index] % (1 << width)
                return switch condition.comparison {
                case "NE": seen != condition.value
                case "LT": seen < condition.value
                case "LE": seen <= condition.value
                case "EQ": seen == condition.value
                case "GE": seen >= condition.value
                case "GT": seen > condition.value
                default: seen & condition.value == condition.second
                }
            }
        }
    }

    /// Near the borders that matter: small numbers, the words' ends, single bits.
    private static func interesting(
        _ width: UInt64, using generator: inout SeededGenerator
    ) -> UInt64 {
        let raw: UInt64 =
            switch Int.random(in: 0..<5, using: &generator) {
            case 0: .random(in: 0...4, using: &generator)
            case 1: 0 &- .random(in: 1...3, using: &generator)
            case 2: 1 << UInt64.random(in: 0..<64, using: &generator)
            case 3:
                UInt64.random(in: 0...3, using: &generator) << 32
                    | .random(in: 0...3, using: &generator)
            default: generator.next()
            }
        return width == 64 ? raw : raw % (1 << width)
    }

    private static func randomRule(using generator: inout SeededGenerator) -> RandomRule {
        let name = calls.randomElement(using: &generator)!
        var rule = RandomRule(
            names: [name], action: actions.randomElement(using: &generator)!, conditions: [])
        for _ in 0..<Int.random(in: 0...3, using: &generator) {
            let index = widths[name]!.indices.randomElement(using: &generator)!
            let comparison = comparisons.randomElement(using: &generator)!
            let value = interesting(widths[name]![index], using: &generator)
            let second = comparison == "MASKED_EQ" ? generator.next() & value : 0
            rule.conditions.append((index, comparison, value, second))
        }
        return rule
    }

    /// The documented meaning, in as few words as it has.
    private static func reference(_ rules: [RandomRule], _ name: String, _ arguments: [UInt64])
        -> UInt32
    {
        let mine = rules.filter { $0.names.contains(name) }
        let conditional = mine.first {
            !$0.conditions.isEmpty && $0.holds(arguments, widths: widths[name]!)
        }
        let rule = conditional ?? mine.first { $0.conditions.isEmpty }
        return rule.map { returned[$0.action]! } ?? Returned.eperm
    }

    @Test(arguments: 0..<150 as Range<UInt64>)
    func `means what it says`(seed: UInt64) throws {
        var generator = SeededGenerator(state: seed)
        let rules = (0..<Int.random(in: 0...40, using: &generator)).map { _ in
            Self.randomRule(using: &generator)
        }
        let denials: SeccompProgram.Denials = Bool.random(using: &generator) ? .errno : .notify
        let watching = Set(Self.calls.filter { _ in Int.random(in: 0..<4, using: &generator) == 0 })
        let program = try program(
            rules.map(\.json).joined(separator: ","), denials: denials, watching: watching)
        for _ in 0..<300 {
            let name = Self.calls.randomElement(using: &generator)!
            var arguments = (0..<6).map { _ in Self.interesting(64, using: &generator) }
            // Half of the calls take a value from a rule, perhaps with bits that don't count.
            if let rule = rules.randomElement(using: &generator),
                let condition = rule.conditions.randomElement(using: &generator)
            {
                arguments[condition.index] =
                    condition.value &+ UInt64.random(in: 0...2, using: &generator) &- 1
                if Bool.random(using: &generator) { arguments[condition.index] ^= 1 << 40 }
            }
            let number = seccomp_syscall_resolve_name_arch(Architecture.x86_64.auditNumber, name)
            let call = SystemCall(
                number: UInt32(number), architecture: Architecture.x86_64.auditNumber,
                arguments: arguments)
            let expected = Self.reference(rules, name, arguments)
            let isAsked =
                expected == Returned.eperm && denials == .notify
                || [Returned.allow, 0x7FFC_0000].contains(expected) && watching.contains(name)
            #expect(
                try program.returns(call) == (isAsked ? Returned.notify : expected),
                "\(name) \(arguments)")
            let verdict = program.verdict(on: call)
            #expect(Self.returnValue(verdict.action) == expected, "\(name) \(arguments)")
            #expect(program.isNotified(verdict) == isAsked, "\(name) \(arguments)")
        }
    }

    private static func returnValue(_ action: SeccompAction) -> UInt32? {
        switch action {
        case .allow: Returned.allow
        case .errno(let number): Returned.errno(UInt32(number))
        case .log: 0x7FFC_0000
        case .killProcess: Returned.killProcess
        case .trap: 0x0003_0000
        default: nil
        }
    }
}
