extension SeccompProfile {
    /// Reads a profile, strictly: an unknown field, name, action or comparison is an error that says where.
    ///
    /// - Parameter source: the file's name, for messages.
    ///
    /// OCI runtime-spec 1.3, config-linux.md, "Seccomp"; the additions of Docker's and Podman's profiles.
    public init(parsing bytes: [UInt8], named source: String) throws(PolicyError) {
        let place = Place(source: source)
        var fields = try FieldReader(JSONNode(parsing: bytes, source: source), at: place)
        self.source = source

        let defaults = try ActionFields(
            &fields, action: "defaultAction", number: "defaultErrnoRet", name: "defaultErrno")
        defaultAction = try defaults.action()
        flags = try Self.flags(&fields)
        architectures = try Self.architectures(&fields)
        for listener in ["listenerPath", "listenerMetadata"] {
            if let (_, place) = fields.take(listener) {
                throw PolicyError(
                    .unsupported("notifications go to our supervisor only"), at: place)
            }
        }

        rules = []
        for (index, entry) in (try fields.array("syscalls", limit: PolicyLimits.rules) ?? [])
            .enumerated()
        {
            var place = Place(source: source, line: entry.place.line)
            place.rule = index
            rules.append(try Rule(entry.node, at: place))
        }
        try fields.finish()
    }

    private static func flags(_ fields: inout FieldReader) throws(PolicyError) -> SeccompFlags? {
        guard let elements = try fields.array("flags") else { return nil }
        var flags: SeccompFlags = []
        for (node, place) in elements {
            switch try node.string(at: place) {
            case "SECCOMP_FILTER_FLAG_LOG": flags.insert(.log)
            case "SECCOMP_FILTER_FLAG_SPEC_ALLOW": flags.insert(.allowSpeculation)
            case "SECCOMP_FILTER_FLAG_TSYNC": flags.insert(.threadSync)
            case "SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV": flags.insert(.waitKillable)
            case let other: throw PolicyError(.unknownValue(other, of: "flag"), at: place)
            }
        }
        return flags
    }

    private static func architectures(_ fields: inout FieldReader) throws(PolicyError) -> [String] {
        var names: [String] = []
        func add(_ node: JSONNode, at place: Place) throws(PolicyError) {
            let name = try node.string(at: place)
            guard ArchitectureNames.seccomp.contains(name) else {
                throw PolicyError(.unknownValue(name, of: "architecture"), at: place)
            }
            if !names.contains(name) { names.append(name) }
        }
        let list = try fields.array("architectures") ?? []
        for (node, place) in list { try add(node, at: place) }
        guard let map = try fields.array("archMap") else { return names }
        guard list.isEmpty else {
            throw PolicyError(
                .contradiction("architectures and archMap exclude each other"),
                at: fields.place.field("archMap"))
        }
        for (node, place) in map {
            var entry = try FieldReader(node, at: place)
            guard let (node, place) = entry.take("architecture") else {
                throw PolicyError(.missing, at: place.field("architecture"))
            }
            try add(node, at: place)
            for (node, place) in try entry.array("subArchitectures") ?? [] {
                try add(node, at: place)
            }
            try entry.finish()
        }
        return names
    }
}

/// An action and the error number beside it, under whatever names.
struct ActionFields {
    private let name: String
    private let place: Place
    private let number: UInt16?
    private let numberPlace: Place

    init(
        _ fields: inout FieldReader, action: String, number: String, name: String
    ) throws(PolicyError) {
        place = fields.place.field(action)
        guard let action = try fields.string(action) else { throw PolicyError(.missing, at: place) }
        self.name = action
        numberPlace = fields.place.field(number)
        let written = try fields.integer(number, upTo: 4095).map { UInt16($0) }
        guard let word = try fields.string(name) else {
            self.number = written
            return
        }
        guard let named = ErrorNumbers.number(named: word) else {
            throw PolicyError(.unknownValue(word, of: "error"), at: fields.place.field(name))
        }
        if let written, written != named {
            throw PolicyError(
                .contradiction("\(word) is \(named), but \(number) says \(written)"),
                at: numberPlace)
        }
        self.number = named
    }

    /// An error number without ERRNO or TRACE is refused, as crun does: it would never be seen.
    func action() throws(PolicyError) -> SeccompAction {
        let action: SeccompAction
        switch name {
        case "SCMP_ACT_ERRNO": return .errno(number ?? ErrorNumbers.permission)
        case "SCMP_ACT_TRACE": return .trace(number ?? ErrorNumbers.permission)
        case "SCMP_ACT_KILL", "SCMP_ACT_KILL_THREAD": action = .killThread
        case "SCMP_ACT_KILL_PROCESS": action = .killProcess
        case "SCMP_ACT_TRAP": action = .trap
        case "SCMP_ACT_ALLOW": action = .allow
        case "SCMP_ACT_LOG": action = .log
        case "SCMP_ACT_NOTIFY":
            throw PolicyError(.unsupported("notifications go to our supervisor only"), at: place)
        default: throw PolicyError(.unknownValue(name, of: "action"), at: place)
        }
        if number != nil {
            throw PolicyError(.contradiction("\(name) returns no error number"), at: numberPlace)
        }
        return action
    }
}
