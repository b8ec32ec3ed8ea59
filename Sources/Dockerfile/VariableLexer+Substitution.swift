/// What `$` begins: a name, or braces with a name and perhaps a modifier.
extension VariableLexer {
    mutating func dollar() throws(ExpansionError) -> [Unicode.Scalar] {
        index += 1
        guard peek == "{" else {
            let name = readName()
            if name.isEmpty { return ["$"] }
            return value(of: name) ?? (options.keepsUnset ? ["$"] + name : [])
        }
        index += 1
        switch peek {
        case nil: throw .missingBrace
        case "{", "}", ":": throw .badSubstitution
        default: return try braced()
        }
    }

    /// What follows `${`.
    private mutating func braced() throws(ExpansionError) -> [Unicode.Scalar] {
        let name = readName()
        guard let modifier = take() else { throw .missingBrace }
        switch modifier {
        case "}":
            return value(of: name)
                ?? (options.keepsUnset ? Array("${".unicodeScalars) + name + ["}"] : [])
        case ":":
            guard let second = take() else { throw .missingBrace }
            guard "-+?".unicodeScalars.contains(second) else {
                throw .unsupportedModifier(":" + String([second]))
            }
            return try substituted(name, second, emptyIsUnset: true)
        case "-", "+", "?": return try substituted(name, modifier, emptyIsUnset: false)
        case "#", "%": return try trimmed(name, modifier)
        case "/": return try replaced(name)
        default: throw .unsupportedModifier(String([modifier]))
        }
    }

    /// `-`, `+` and `?`. The word is expanded whether it is needed or not.
    private mutating func substituted(
        _ name: [Unicode.Scalar], _ modifier: Unicode.Scalar, emptyIsUnset: Bool
    ) throws(ExpansionError) -> [Unicode.Scalar] {
        let word = try nested(upTo: "}", keepsEscapes: false, missing: .missingBrace)
        guard let value = self.value(of: name) else {
            if options.keepsUnset {
                let colon: [Unicode.Scalar] = emptyIsUnset ? [":"] : []
                return Array("${".unicodeScalars) + name + colon + [modifier] + word + ["}"]
            }
            switch modifier {
            case "-": return word
            case "+": return []
            default: throw required(name, word, "is not allowed to be unset")
            }
        }
        let isMissing = emptyIsUnset && value.isEmpty
        switch modifier {
        case "-": return isMissing ? word : value
        case "+": return isMissing ? [] : word
        default:
            if isMissing { throw required(name, word, "is not allowed to be empty") }
            return value
        }
    }

    private func required(
        _ name: [Unicode.Scalar], _ message: [Unicode.Scalar], _ otherwise: String
    ) -> ExpansionError {
        .required(name: String(name), message: message.isEmpty ? otherwise : String(message))
    }

    /// `#` and `##` take a match off the start, `%` and `%%` off the end; doubled, the longest.
    private mutating func trimmed(
        _ name: [Unicode.Scalar], _ modifier: Unicode.Scalar
    ) throws(ExpansionError) -> [Unicode.Scalar] {
        var word = try nested(upTo: "}", keepsEscapes: true, missing: .missingBrace)
        let found = value(of: name)
        if found == nil, options.keepsUnset {
            return Array("${".unicodeScalars) + name + [modifier] + word + ["}"]
        }
        let isGreedy = word.first == modifier
        if isGreedy { word.removeFirst() }
        let value = found ?? []
        var pattern = try ShellPattern(word)
        guard modifier == "%" else {
            let end = try pattern.prefix(of: value, longest: isGreedy, steps: &steps)
            return Array(value[(end ?? 0)...])
        }
        pattern.reverse()
        let end = try pattern.prefix(of: value.reversed(), longest: isGreedy, steps: &steps)
        return Array(value.dropLast(end ?? 0))
    }

    /// `/pattern/replacement`, or `//` for every match.
    private mutating func replaced(
        _ name: [Unicode.Scalar]
    ) throws(ExpansionError) -> [Unicode.Scalar] {
        let isGlobal = peek == "/"
        if isGlobal { index += 1 }
        let word = try nested(upTo: "/", keepsEscapes: true, missing: .missingSlash)
        let replacement = try nested(upTo: "}", keepsEscapes: true, missing: .missingBrace)
        let found = value(of: name)
        if found == nil, options.keepsUnset {
            return Array("${".unicodeScalars) + name + ["/"] + word + ["/"] + replacement + ["}"]
        }
        return try ShellPattern(word).replacing(
            in: found ?? [], with: replacement, isGlobal: isGlobal, steps: &steps)
    }

    /// A name, a number, one special parameter, or nothing.
    private mutating func readName() -> [Unicode.Scalar] {
        guard let first = peek else { return [] }
        var result: [Unicode.Scalar] = []
        if first.isDigit {
            while let next = peek, next.isDigit {
                result.append(next)
                index += 1
            }
            return result
        }
        if "@*#?-$!".unicodeScalars.contains(first) {
            index += 1
            return [first]
        }
        while let next = peek, next == "_" || next.isDigit || next.isLetter {
            result.append(next)
            index += 1
        }
        return result
    }

    private mutating func value(of name: [Unicode.Scalar]) -> [Unicode.Scalar]? {
        let name = String(name)
        guard let value = lookup(name) else {
            if seen.insert(name).inserted { unset.append(name) }
            return nil
        }
        if seen.insert(name).inserted { referenced.append(name) }
        return Array(value.unicodeScalars)
    }
}

extension Unicode.Scalar {
    fileprivate var isDigit: Bool { properties.generalCategory == .decimalNumber }

    fileprivate var isLetter: Bool {
        switch properties.generalCategory {
        case .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter:
            true
        default: false
        }
    }
}
