/// What an image's history says of a step (`created_by`), in BuildKit's words, without its comment.
///
/// All values are given as they are after expansion.
public enum CreatedBy {
    /// `RUN |1 VERSION=2 /bin/sh -c make`: the build arguments in scope, each name once, then the command.
    ///
    /// `buildArguments` are those that ARG declared so far, with their values; predefined ones are not.
    public static func run(
        _ arguments: [String], buildArguments: [(name: String, value: String)] = []
    ) -> String {
        var names: [String] = []
        var values: [String: String] = [:]
        for (name, value) in buildArguments {
            if values.updateValue(value, forKey: name) == nil { names.append(name) }
        }
        let pairs = names.map { $0 + "=" + (values[$0] ?? "") }
        let scope = pairs.isEmpty ? [] : ["|\(pairs.count)"] + pairs
        return (["RUN"] + scope + arguments).joined(separator: " ")
    }

    /// `COPY --chown=app --chmod=755 a b /dst`; flags that BuildKit leaves out are left out.
    public static func copy(
        isAdd: Bool = false, keepsParents: Bool = false, owner: String? = nil, mode: String? = nil,
        paths: [String], heredocs: [String] = [], destination: String
    ) -> String {
        var parts = [isAdd ? "ADD" : "COPY"]
        if keepsParents { parts.append("--parents") }
        if let owner, !owner.isEmpty { parts.append("--chown=" + owner) }
        if let mode, !mode.isEmpty { parts.append("--chmod=" + mode) }
        return (parts + paths + heredocs.map { "<<" + $0 } + [destination]).joined(separator: " ")
    }

    /// `ENV A=b C=d`.
    public static func env(_ pairs: [(name: String, value: String)]) -> String {
        assignments("ENV", pairs)
    }

    /// `LABEL a=b c=d`.
    public static func label(_ pairs: [(name: String, value: String)]) -> String {
        assignments("LABEL", pairs)
    }

    /// `ARG A=b C`; nil is an argument that has no value.
    public static func arg(_ pairs: [(name: String, value: String?)]) -> String {
        "ARG " + pairs.map { $0.name + ($0.value.map { "=" + $0 } ?? "") }.joined(separator: " ")
    }

    public static func workdir(_ path: String) -> String { "WORKDIR " + path }
    public static func user(_ user: String) -> String { "USER " + user }
    public static func stopSignal(_ signal: String) -> String { "STOPSIGNAL " + signal }
    public static func maintainer(_ name: String) -> String { "MAINTAINER " + name }

    /// `CMD ["nginx" "-g" "daemon off;"]`: Go's way to print a list of quoted strings.
    public static func cmd(_ arguments: [String]) -> String { "CMD " + quotedList(arguments) }

    public static func entrypoint(_ arguments: [String]) -> String {
        "ENTRYPOINT " + quotedList(arguments)
    }

    /// `EXPOSE [80/tcp 443/tcp]`.
    public static func expose(_ ports: [String]) -> String { "EXPOSE " + list(ports) }

    /// `VOLUME [/data /log]`.
    public static func volume(_ paths: [String]) -> String { "VOLUME " + list(paths) }

    /// `SHELL [/bin/bash -c]`.
    public static func shell(_ arguments: [String]) -> String { "SHELL " + list(arguments) }

    /// `HEALTHCHECK {Test:[CMD-SHELL true] Interval:30s ...}`.
    public static func healthcheck(_ check: Healthcheck) -> String {
        "HEALTHCHECK {Test:\(list(check.test))"
            + " Interval:\(GoDuration.format(check.interval))"
            + " Timeout:\(GoDuration.format(check.timeout))"
            + " StartPeriod:\(GoDuration.format(check.startPeriod))"
            + " StartInterval:\(GoDuration.format(check.startInterval))"
            + " Retries:\(check.retries)}"
    }

    private static func assignments(
        _ instruction: String, _ pairs: [(name: String, value: String)]
    ) -> String {
        instruction + pairs.map { " " + $0.name + "=" + $0.value }.joined()
    }

    private static func list(_ words: [String]) -> String {
        "[" + words.joined(separator: " ") + "]"
    }

    private static func quotedList(_ words: [String]) -> String { list(words.map(goQuoted)) }
}

/// A string as Go's strconv.Quote writes it.
func goQuoted(_ text: String) -> String {
    let escapes: [Unicode.Scalar: String] = [
        "\u{7}": "\\a", "\u{8}": "\\b", "\u{C}": "\\f", "\n": "\\n", "\r": "\\r", "\t": "\\t",
        "\u{B}": "\\v", "\"": "\\\"", "\\": "\\\\",
    ]
    var result = "\""
    for scalar in text.unicodeScalars {
        if let escape = escapes[scalar] {
            result += escape
        } else if isPrintable(scalar) {
            result.unicodeScalars.append(scalar)
        } else if scalar.value < 0x80 {
            result += "\\x" + hexadecimal(scalar.value, digits: 2)
        } else if scalar.value < 0x10000 {
            result += "\\u" + hexadecimal(scalar.value, digits: 4)
        } else {
            result += "\\U" + hexadecimal(scalar.value, digits: 8)
        }
    }
    return result + "\""
}

/// Letters, marks, numbers, punctuation, symbols, and the ASCII space.
private func isPrintable(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.properties.generalCategory {
    case .spaceSeparator: scalar == " "
    case .control, .format, .surrogate, .privateUse, .unassigned, .lineSeparator,
        .paragraphSeparator:
        false
    default: true
    }
}

private func hexadecimal(_ value: UInt32, digits: Int) -> String {
    let text = String(value, radix: 16)
    return String(repeating: "0", count: max(0, digits - text.count)) + text
}
