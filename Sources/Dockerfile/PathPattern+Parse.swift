/// A pattern for paths that is malformed: a `[` without `]`, an empty range, a `\` at the end.
public struct PatternError: Error, Equatable, Sendable, CustomStringConvertible {
    public var pattern: String

    public var description: String { oneLine("malformed pattern \"\(pattern)\"") }
}

extension PathPattern {
    /// - Throws: `PatternError` for what Go's filepath.Match calls malformed.
    init(_ pattern: ArraySlice<UInt8>) throws(PatternError) {
        var parser = PatternParser(pattern: pattern)
        self = try parser.parse()
    }
}

private struct PatternParser {
    let pattern: ArraySlice<UInt8>
    private var index: Int
    private var elements: [PathPattern.Element] = []

    init(pattern: ArraySlice<UInt8>) {
        self.pattern = pattern
        index = pattern.startIndex
    }

    private var malformed: PatternError {
        PatternError(pattern: String(decoding: pattern, as: UTF8.self))
    }

    mutating func parse() throws(PatternError) -> PathPattern {
        var isEscaped = false
        while index < pattern.endIndex {
            let byte = pattern[index]
            index += 1
            switch byte {
            case UInt8(ascii: "*"): star()
            case UInt8(ascii: "?"): elements.append(.any)
            case UInt8(ascii: "["): elements.append(.set(try characterSet()))
            case UInt8(ascii: "\\"):
                guard index < pattern.endIndex else { throw malformed }
                elements.append(.byte(pattern[index]))
                index += 1
                isEscaped = true
            default: elements.append(.byte(byte))
            }
        }
        return form(isEscaped: isEscaped)
    }

    /// Patterns without a wildcard, and those with `**` at one end alone, need no general matching.
    ///
    /// An escaped `**name` is general: there `**` ends at a slash, as moby/patternmatcher has it.
    private func form(isEscaped: Bool) -> PathPattern {
        let literal = elements.compactMap { element -> UInt8? in
            if case .byte(let byte) = element { byte } else { nil }
        }
        if literal.count == elements.count { return PathPattern(literal: literal) }
        guard literal.count == elements.count - 1, !isEscaped else {
            return PathPattern(elements: elements)
        }
        switch (elements.first, elements.last) {
        case (.everything, _): return PathPattern(prefix: [])
        case (.directories, _): return PathPattern(suffix: suffixAfterDoubleStar)
        case (_, .everything): return PathPattern(prefix: literal)
        default: return PathPattern(elements: elements)
        }
    }

    /// With its slash, where there is one.
    private var suffixAfterDoubleStar: [UInt8] { Array(pattern.dropFirst(2)) }

    private mutating func star() {
        let second = UInt8(ascii: "*")
        guard index < pattern.endIndex, pattern[index] == second else {
            if elements.last != .star { elements.append(.star) }
            return
        }
        index += 1
        if index < pattern.endIndex, pattern[index] == slash { index += 1 }
        let element: PathPattern.Element = index == pattern.endIndex ? .everything : .directories
        if elements.last != element { elements.append(element) }
    }

    /// What follows `[`: characters and ranges up to `]`, at least one.
    private mutating func characterSet() throws(PatternError) -> PathPattern.CharacterSet {
        var set = PathPattern.CharacterSet()
        if index < pattern.endIndex, pattern[index] == UInt8(ascii: "^") {
            set.isNegated = true
            index += 1
        }
        while true {
            guard index < pattern.endIndex else { throw malformed }
            if pattern[index] == UInt8(ascii: "]"), !set.ranges.isEmpty {
                index += 1
                return set
            }
            let low = try setCharacter()
            var high = low
            if index < pattern.endIndex, pattern[index] == UInt8(ascii: "-") {
                index += 1
                high = try setCharacter()
            }
            set.ranges.append(low <= high ? low...high : 0x11_0000...0x11_0000)
        }
    }

    /// One character of a set, perhaps escaped; `-` and `]` must be.
    private mutating func setCharacter() throws(PatternError) -> UInt32 {
        guard index < pattern.endIndex else { throw malformed }
        switch pattern[index] {
        case UInt8(ascii: "-"), UInt8(ascii: "]"): throw malformed
        case UInt8(ascii: "\\"): index += 1
        default: break
        }
        guard index < pattern.endIndex else { throw malformed }
        var decoder = UTF8()
        var iterator = pattern[index...].prefix(4).makeIterator()
        guard case .scalarValue(let scalar) = decoder.decode(&iterator) else { throw malformed }
        index += UTF8.width(scalar)
        guard index < pattern.endIndex else { throw malformed }
        return scalar.value
    }
}
