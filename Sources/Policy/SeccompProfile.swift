/// A seccomp profile as it is written: in Docker's and Podman's form, or in that of the OCI runtime specification.
///
/// Every name in it is known and every value has its type; what it means on one machine is `ResolvedProfile`.
public struct SeccompProfile: Equatable, Sendable {
    /// One entry of `syscalls`.
    public struct Rule: Equatable, Sendable {
        public var names: [String]
        public var action: SeccompAction
        /// All of them must hold.
        public var conditions: [ArgumentCondition]
        public var comment: String?
        public var includes: Gate
        public var excludes: Gate
        public var place: Place
    }

    /// On which hosts a rule counts.
    ///
    /// As `includes`: all of these must be true. As `excludes`: any of them drops the rule.
    public struct Gate: Equatable, Sendable {
        public var capabilities: CapabilitySet = []
        /// In Go's words, such as `amd64`; empty for any.
        public var architectures: [String] = []
        public var minimumKernel: KernelVersion?
    }

    /// The file's name, for messages.
    public var source: String
    public var defaultAction: SeccompAction
    /// Nil where the profile says nothing, which isn't the same as an empty list.
    public var flags: SeccompFlags?
    /// The ABIs it names, from `architectures` or `archMap`. The native one is always filtered, foreign ones are always
    /// refused (see `SeccompProgram`), so this is for reports only.
    public var architectures: [String]
    public var rules: [Rule]
}

extension SeccompProfile {
    /// The meaning of the profile without its comments, the same for equal profiles: for cache keys.
    ///
    /// It doesn't depend on the machine: the same policy gives the same key everywhere.
    public var canonicalBytes: [UInt8] {
        var text = "lichen-seccomp 1\ndefault \(defaultAction)\n"
        text += "flags \(flags.map { String($0.rawValue) } ?? "-")\n"
        for rule in rules {
            text += "rule \(rule.action)\n"
            text += rule.names.map { "name \($0)\n" }.joined()
            text += rule.conditions.map { "if \($0)\n" }.joined()
            text += rule.includes.canonicalText("in") + rule.excludes.canonicalText("ex")
        }
        return Array(text.utf8)
    }
}

extension SeccompProfile.Gate {
    func canonicalText(_ word: String) -> String {
        var text = capabilities.isEmpty ? "" : "\(word)-caps \(capabilities.rawValue)\n"
        text += architectures.map { "\(word)-arch \($0)\n" }.joined()
        if let minimumKernel { text += "\(word)-kernel \(minimumKernel)\n" }
        return text
    }
}
