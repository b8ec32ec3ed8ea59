/// The elements of a pattern that may come next, while a path is read.
struct PatternStates {
    private let elements: [PathPattern.Element]
    private var current = StateSet()

    init(_ elements: [PathPattern.Element]) {
        self.elements = elements
        enter(0, &current)
    }

    var isMatch: Bool { current.contains(elements.count) }
    var isDead: Bool { current.isEmpty }

    /// A trailing `**` has been reached: whatever follows, it matches.
    var takesEverything: Bool {
        elements.last == .everything && current.contains(elements.count - 1)
    }

    /// Reads the path. With `stopsAtDirectory`, ends with true where a directory above it matches.
    @discardableResult
    mutating func follow(_ path: ArraySlice<UInt8>, stopsAtDirectory: Bool = false) -> Bool {
        var index = path.startIndex
        while index < path.endIndex, !current.isEmpty {
            if stopsAtDirectory, path[index] == slash, isMatch { return true }
            let (scalar, length) = character(path[index...])
            step(scalar, path[index..<index + length])
            index += length
        }
        return false
    }

    private mutating func step(_ scalar: UInt32, _ bytes: ArraySlice<UInt8>) {
        let isSlash = scalar == UInt32(slash)
        var next = StateSet()
        current.forEach { state in
            guard state < elements.count else { return }
            switch elements[state] {
            case .byte: if let end = literal(state, bytes) { enter(end, &next) }
            case .any: if !isSlash { enter(state + 1, &next) }
            case .star: if !isSlash { enter(state, &next) }
            case .set(let set): if set.contains(scalar) { enter(state + 1, &next) }
            case .directories:
                next.insert(state)
                if isSlash { enter(state + 1, &next) }
            case .everything: enter(state, &next)
            }
        }
        current = next
    }

    /// A character of several bytes takes as many elements.
    private func literal(_ state: Int, _ bytes: ArraySlice<UInt8>) -> Int? {
        var state = state
        for byte in bytes {
            guard state < elements.count, case .byte(byte) = elements[state] else { return nil }
            state += 1
        }
        return state
    }

    /// Adds a state, and those behind it that need nothing read.
    private func enter(_ state: Int, _ states: inout StateSet) {
        var state = state
        while true {
            states.insert(state)
            guard state < elements.count else { return }
            switch elements[state] {
            case .star, .directories, .everything: state += 1
            default: return
            }
        }
    }
}

/// A set of small numbers; those below 64, which is nearly all there ever are, need no memory.
private struct StateSet {
    private var low: UInt64 = 0
    private var high: [UInt64] = []

    var isEmpty: Bool { low == 0 && high.allSatisfy { $0 == 0 } }

    func contains(_ number: Int) -> Bool {
        let (word, bit) = (number >> 6, UInt64(1) << UInt64(number & 63))
        if word == 0 { return low & bit != 0 }
        return word <= high.count && high[word - 1] & bit != 0
    }

    mutating func insert(_ number: Int) {
        let (word, bit) = (number >> 6, UInt64(1) << UInt64(number & 63))
        if word == 0 {
            low |= bit
            return
        }
        while high.count < word { high.append(0) }
        high[word - 1] |= bit
    }

    func forEach(_ body: (Int) -> Void) {
        Self.bits(of: low, from: 0, body)
        for (index, word) in high.enumerated() { Self.bits(of: word, from: (index + 1) << 6, body) }
    }

    private static func bits(of word: UInt64, from first: Int, _ body: (Int) -> Void) {
        var rest = word
        while rest != 0 {
            body(first + rest.trailingZeroBitCount)
            rest &= rest - 1
        }
    }
}

/// The first character and its length; a byte that begins none is one by itself.
private func character(_ bytes: ArraySlice<UInt8>) -> (scalar: UInt32, length: Int) {
    guard let first = bytes.first, first >= 0x80 else { return (UInt32(bytes.first ?? 0), 1) }
    var iterator = bytes.prefix(4).makeIterator()
    var decoder = UTF8()
    guard case .scalarValue(let scalar) = decoder.decode(&iterator) else { return (0xFFFD, 1) }
    return (scalar.value, UTF8.width(scalar))
}
