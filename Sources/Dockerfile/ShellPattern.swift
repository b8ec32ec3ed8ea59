/// The patterns of `${name#pattern}`: `*` and `?`, which match anything but a line end.
///
/// `\*`, `\?` and `\\` are the characters themselves; `\}` and `\/` too, since `${}` needs them escaped.
struct ShellPattern {
    private enum Element: Equatable {
        case scalar(Unicode.Scalar)
        case any
        case star
    }
    private var elements: [Element] = []

    init(_ text: [Unicode.Scalar]) throws(ExpansionError) {
        var index = 0
        while index < text.count {
            let scalar = text[index]
            index += 1
            switch scalar {
            case "*": if elements.last != .star { elements.append(.star) }
            case "?": elements.append(.any)
            case "\\":
                guard index < text.count, "*?\\}/".unicodeScalars.contains(text[index]) else {
                    throw .invalidPattern(String(text))
                }
                elements.append(.scalar(text[index]))
                index += 1
            default: elements.append(.scalar(scalar))
            }
        }
    }

    /// Matches from the other end.
    mutating func reverse() { elements.reverse() }

    /// The end of the shortest or longest match at the start of `text`; nil if there is none.
    func prefix(
        of text: some RandomAccessCollection<Unicode.Scalar>, longest: Bool, steps: inout Int
    ) throws(ExpansionError) -> Int? {
        try match(Array(text), from: 0, longest: longest, steps: &steps)
    }

    /// Replaces the first match, or each; the leftmost match counts, and of those the longest.
    func replacing(
        in text: [Unicode.Scalar], with replacement: [Unicode.Scalar], isGlobal: Bool,
        steps: inout Int
    ) throws(ExpansionError) -> [Unicode.Scalar] {
        var result: [Unicode.Scalar] = []
        var copied = 0
        var start = 0
        while start <= text.count {
            guard let end = try match(text, from: start, longest: true, steps: &steps) else {
                start += 1
                continue
            }
            result += text[copied..<start]
            // An empty match right behind a match is not one.
            if end > copied || start == 0 { result += replacement }
            guard result.count <= Limits.expansionLength else {
                throw .tooLong(limit: Limits.expansionLength)
            }
            copied = end
            start = max(end, start + 1)
            if !isGlobal { break }
        }
        return result + text[min(copied, text.count)...]
    }

    /// Follows all possible matches at once: which elements may come next, scalar by scalar.
    private func match(
        _ text: [Unicode.Scalar], from start: Int, longest: Bool, steps: inout Int
    ) throws(ExpansionError) -> Int? {
        if case .scalar(let first) = elements.first {
            steps += 1
            guard start < text.count, text[start] == first else { return nil }
        }
        var states = reached(0)
        var found: Int?
        var index = start
        while !states.isEmpty {
            if states.contains(elements.count) {
                found = index
                if !longest { return found }
            }
            guard index < text.count else { break }
            steps += states.count + 1
            guard steps <= Limits.patternSteps else { throw .tooComplex }
            var next: [Int] = []
            for state in states where state < elements.count {
                switch elements[state] {
                case .scalar(let wanted) where wanted == text[index]: add(state + 1, to: &next)
                case .any where text[index] != "\n": add(state + 1, to: &next)
                case .star where text[index] != "\n": add(state, to: &next)
                default: break
                }
            }
            states = next
            index += 1
        }
        return found
    }

    private func reached(_ state: Int) -> [Int] {
        var states: [Int] = []
        add(state, to: &states)
        return states
    }

    /// A star may be left without taking anything. States come in ascending order, so the end tells
    /// whether one is there.
    private func add(_ state: Int, to states: inout [Int]) {
        if states.last.map({ $0 >= state }) != true { states.append(state) }
        if state < elements.count, elements[state] == .star, states.last == state {
            states.append(state + 1)
        }
    }
}
