extension SeccompProfile.Rule {
    init(_ node: JSONNode, at place: Place) throws(PolicyError) {
        var fields = try FieldReader(node, at: place)
        self.place = place
        names = try Self.names(&fields)
        action = try ActionFields(&fields, action: "action", number: "errnoRet", name: "errno")
            .action()
        comment = try fields.string("comment")
        conditions = []
        for (node, place) in try fields.array("args", limit: PolicyLimits.conditionsInRule) ?? [] {
            conditions.append(try ArgumentCondition(node, at: place))
        }
        includes = try SeccompProfile.Gate(fields.take("includes"))
        excludes = try SeccompProfile.Gate(fields.take("excludes"))
        try fields.finish()
    }

    private static func names(_ fields: inout FieldReader) throws(PolicyError) -> [String] {
        let place = fields.place.field("names")
        let single = try fields.string("name") ?? ""
        let list = try fields.strings("names", limit: PolicyLimits.namesInRule) ?? []
        guard single.isEmpty || list.isEmpty else {
            throw PolicyError(.contradiction("name and names exclude each other"), at: place)
        }
        let names = single.isEmpty ? list : [single]
        if names.isEmpty { throw PolicyError(.missing, at: place) }
        for (index, name) in names.enumerated() where !CallTable.isName(name) {
            throw PolicyError(.unknownCall(name), at: place.element(index))
        }
        return names
    }
}

extension ArgumentCondition {
    init(_ node: JSONNode, at place: Place) throws(PolicyError) {
        var fields = try FieldReader(node, at: place)
        guard let index = try fields.integer("index", upTo: 5) else {
            throw PolicyError(.missing, at: place.field("index"))
        }
        guard let value = try fields.integer("value") else {
            throw PolicyError(.missing, at: place.field("value"))
        }
        let second = try fields.integer("valueTwo") ?? 0
        guard let comparison = try fields.string("op") else {
            throw PolicyError(.missing, at: place.field("op"))
        }
        try fields.finish()
        argument = Int(index)
        switch comparison {
        case "SCMP_CMP_NE": test = .notEqual(value)
        case "SCMP_CMP_LT": test = .less(value)
        case "SCMP_CMP_LE": test = .lessOrEqual(value)
        case "SCMP_CMP_EQ": test = .equal(value)
        case "SCMP_CMP_GE": test = .greaterOrEqual(value)
        case "SCMP_CMP_GT": test = .greater(value)
        case "SCMP_CMP_MASKED_EQ": test = .masked(value, equals: second)
        default:
            throw PolicyError(.unknownValue(comparison, of: "comparison"), at: place.field("op"))
        }
        if second != 0 && comparison != "SCMP_CMP_MASKED_EQ" {
            throw PolicyError(
                .contradiction("\(comparison) takes one value"), at: place.field("valueTwo"))
        }
    }
}

extension SeccompProfile.Gate {
    init(_ field: (node: JSONNode, place: Place)?) throws(PolicyError) {
        guard let (node, place) = field else { return }
        var fields = try FieldReader(node, at: place)
        capabilities = try CapabilitySet(
            names: fields.strings("caps") ?? [], at: place.field("caps"))
        for (node, place) in try fields.array("arches") ?? [] {
            let name = try node.string(at: place)
            guard ArchitectureNames.go.contains(name) else {
                throw PolicyError(.unknownValue(name, of: "architecture"), at: place)
            }
            architectures.append(name)
        }
        if let version = try fields.string("minKernel"), !version.isEmpty {
            guard let kernel = KernelVersion(twoNumbers: version) else {
                throw PolicyError(
                    .wrongType(expected: "two numbers, X.Y"), at: place.field("minKernel"))
            }
            minimumKernel = kernel
        }
        try fields.finish()
    }
}

extension KernelVersion {
    /// Exactly `X.Y`, as `minKernel` wants it.
    fileprivate init?(twoNumbers text: String) {
        guard let version = KernelVersion(release: text), version.description == text else {
            return nil
        }
        self = version
    }
}
