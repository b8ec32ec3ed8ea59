extension InstructionParser {
    func run() throws(Fault) -> RunInstruction {
        var mounts: [MountFlag] = []
        for word in try flags.words("mount") { mounts.append(try mountFlag(word)) }
        let network = try flags.choice("network", of: RunInstruction.Network.self)
        let security = try flags.choice("security", of: RunInstruction.Security.self)
        var devices: [RunInstruction.Device] = []
        for word in try flags.words("device") { devices.append(try device(word)) }
        try flags.refuseOthers()
        let command = try commandLine(arguments)
        guard command != .exec([]) else {
            throw Fault(.missingArgument(instruction: name), at: arguments.range)
        }
        return RunInstruction(
            command: command, heredocs: heredocs, mounts: mounts, network: network,
            security: security, devices: devices)
    }

    /// Takes the flag apart. Without variables in it, it is also checked as a whole.
    private func mountFlag(_ word: Word) throws(Fault) -> MountFlag {
        guard let fields = commaSeparated(word.text) else {
            throw Fault(.malformedList(flag: "mount"), at: word.range)
        }
        let expander = Expander(escape: escape)
        var options: [MountFlag.Option] = []
        var isFixed = true
        for (field, range) in zip(fields, ranges(of: fields, in: word)) {
            let (key, value) = Self.pair(field)
            if let value, expander.mayChange(value) {
                if key == "from" { throw Fault(.variableInFrom(flag: "from"), at: range) }
                isFixed = false
            }
            options.append(MountFlag.Option(key: key, value: value, range: range))
        }
        let flag = MountFlag(options: options, word: word)
        if isFixed { _ = try flag.mount { (value) throws(ExpansionError) in value } }
        return flag
    }

    /// Where each field stands; the whole word, if quotes or escapes were taken out of it.
    private func ranges(of fields: [String], in word: Word) -> [SourceRange] {
        let (start, end) = (word.range.start, word.range.end)
        let length = word.text.unicodeScalars.count
        guard start.line == end.line, end.column - start.column == length,
            fields.joined(separator: ",") == word.text
        else { return fields.map { _ in word.range } }
        var column = start.column
        return fields.map { field in
            let first = SourcePosition(line: start.line, column: column)
            column += field.unicodeScalars.count
            let last = SourcePosition(line: start.line, column: column)
            column += 1
            return SourceRange(first, last)
        }
    }

    private static func pair(_ field: String) -> (key: String, value: String?) {
        let parts = field.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        return (parts[0].lowercased(), parts.count > 1 ? String(parts[1]) : nil)
    }

    /// `vendor.com/class=name`, `name=...`, `required`.
    private func device(_ word: Word) throws(Fault) -> RunInstruction.Device {
        guard let fields = commaSeparated(word.text) else {
            throw Fault(.malformedList(flag: "device"), at: word.range)
        }
        var name: String?
        var isRequired = false
        for field in fields {
            switch Self.pair(field) {
            case ("required", let value):
                guard let truth = goBool(value ?? "true") else {
                    throw Fault(.invalidMountOption("required", value: value ?? ""), at: word.range)
                }
                isRequired = truth
            case ("name", let value?):
                if let name { throw Fault(.repeatedDeviceName(name), at: word.range) }
                name = value
            default:
                if let name { throw Fault(.repeatedDeviceName(name), at: word.range) }
                name = field
            }
        }
        guard let name, !name.isEmpty else {
            throw Fault(.missingFlagValue("device"), at: word.range)
        }
        return RunInstruction.Device(name: name, isRequired: isRequired, range: word.range)
    }

    func healthcheck() throws(Fault) -> Healthcheck {
        let (first, rest) = arguments.cutAtBlanks()
        guard !first.isEmpty else { throw Fault(.missingArgument(instruction: name)) }
        let type = first.text.uppercased()
        if type == "NONE" {
            guard flags.isEmpty, rest == nil else { throw Fault(.healthcheckNoneArguments) }
            return Healthcheck()
        }
        var check = Healthcheck()
        check.interval = try duration("interval")
        check.timeout = try duration("timeout")
        check.startPeriod = try duration("start-period")
        check.startInterval = try duration("start-interval")
        if let word = try flags.word("retries") {
            guard let number = Int32(word.text), number >= 0 else {
                throw Fault(
                    .invalidFlagValue(flag: "retries", value: word.text, expected: "a number"),
                    at: word.range)
            }
            check.retries = Int(number)
        }
        try flags.refuseOthers()
        guard type == "CMD" else { throw Fault(.healthcheckType(first.text), at: first.range) }
        guard let rest, case let command = try commandLine(rest), command != .exec([]) else {
            throw Fault(.missingHealthcheckCommand, at: first.range)
        }
        check.command = command
        return check
    }

    /// Nanoseconds; at least a millisecond, or 0.
    private func duration(_ flag: String) throws(Fault) -> Int64 {
        guard let word = try flags.word(flag) else { return 0 }
        guard let time = GoDuration.parse(word.text) else {
            throw Fault(.invalidDuration(flag: flag, value: word.text), at: word.range)
        }
        guard time == 0 || time >= 1_000_000 else {
            throw Fault(.shortDuration(flag: flag, value: word.text), at: word.range)
        }
        return time
    }
}
