import CSeccomp
import Policy

/// A profile around some rules, EPERM by default.
func profile(
    _ rules: String, defaultAction: String = "\"SCMP_ACT_ERRNO\"", more: String = ""
) throws(PolicyError) -> SeccompProfile {
    let text = "{\"defaultAction\": \(defaultAction), \(more) \"syscalls\": [\(rules)]}"
    return try SeccompProfile(parsing: Array(text.utf8), named: "test.json")
}

func target(
    _ architecture: Architecture = .x86_64, kernel: KernelVersion = KernelVersion(6, 1),
    capabilities: String...
) -> SeccompTarget {
    SeccompTarget(
        architecture: architecture, kernel: kernel,
        capabilities: CapabilitySet(capabilities.map { CapabilitySet(named: $0)! }))
}

func program(
    _ rules: String, for target: SeccompTarget = target(),
    denials: SeccompProgram.Denials = .errno, watching: Set<String> = []
) throws(PolicyError) -> SeccompProgram {
    try SeccompProgram(profile(rules), for: target, denials: denials, watching: watching)
}

/// One rule; `fields` are the JSON of the rest.
func rule(_ names: String..., action: String = "ALLOW", args: String = "", more: String = "")
    -> String
{
    let list = names.map { "\"\($0)\"" }.joined(separator: ",")
    let tail = more.isEmpty ? "" : ", \(more)"
    return
        "{\"names\": [\(list)], \"action\": \"SCMP_ACT_\(action)\", \"args\": [\(args)]\(tail)}"
}

func condition(_ index: Int, _ comparison: String, _ value: UInt64, _ second: UInt64 = 0) -> String
{
    "{\"index\": \(index), \"op\": \"SCMP_CMP_\(comparison)\", \"value\": \(value), \"valueTwo\": \(second)}"
}

/// A native call by name.
func call(
    _ name: String, _ arguments: UInt64..., on architecture: Architecture = .x86_64
) -> SystemCall {
    let number = seccomp_syscall_resolve_name_arch(architecture.auditNumber, name)
    precondition(number >= 0, "\(name) isn't a call of \(architecture)")
    return SystemCall(
        number: UInt32(number), architecture: architecture.auditNumber, arguments: arguments)
}

extension SeccompProgram {
    /// What the instructions say.
    func returns(_ call: SystemCall) throws -> UInt32 {
        try Interpreter(self).answer(to: call).value
    }
}

/// SplitMix64: a failing case must come back on the next run.
struct SeededGenerator: RandomNumberGenerator {
    var state: UInt64
    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ mixed >> 30) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ mixed >> 27) &* 0x94D0_49BB_1331_11EB
        return mixed ^ mixed >> 31
    }
}
