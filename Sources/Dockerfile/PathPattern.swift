/// One pattern for paths, compiled. Paths are bytes, since names need not be UTF-8.
///
/// Where a pattern has no wildcard it is compared byte by byte; else all ways to match are followed at
/// once, so no pattern takes longer than its length times the path's.
struct PathPattern: Sendable, Equatable {
    enum Element: Sendable, Equatable {
        case byte(UInt8)
        /// `?`: one character, but no slash.
        case any
        /// `*`: any number of characters, but no slash.
        case star
        /// `[a-z]`.
        case set(CharacterSet)
        /// `**/`: nothing, or anything that ends with a slash.
        case directories
        /// `**` at the end: anything.
        case everything
    }

    /// Characters of a `[...]`. In an ignore file, as in a regular expression, `[^a]` may be a slash.
    struct CharacterSet: Sendable, Equatable {
        var ranges: [ClosedRange<UInt32>] = []
        var isNegated = false

        func contains(_ scalar: UInt32) -> Bool {
            ranges.contains { $0.contains(scalar) } != isNegated
        }
    }

    private enum Form: Sendable, Equatable {
        case literal([UInt8])
        /// `dir/**`: what begins with these bytes.
        case prefix([UInt8])
        /// `**name`: what ends with these bytes.
        case suffix([UInt8])
        case general([Element])
    }

    private let form: Form

    init(elements: [Element]) {
        form = .general(elements)
    }

    init(literal: [UInt8]) { form = .literal(literal) }
    init(prefix: [UInt8]) { form = .prefix(prefix) }
    init(suffix: [UInt8]) { form = .suffix(suffix) }

    /// Whether the path or a directory above it matches.
    func matchesPathOrParent(_ path: ArraySlice<UInt8>) -> Bool {
        switch form {
        case .literal(let bytes):
            guard path.starts(with: bytes) else { return false }
            return path.count == bytes.count || path[path.startIndex + bytes.count] == slash
        case .prefix(let bytes): return path.starts(with: bytes)
        case .suffix(let bytes):
            for (index, byte) in zip(path.indices, path) where byte == slash {
                if Self.ends(path[path.startIndex..<index], with: bytes) { return true }
            }
            return Self.ends(path, with: bytes)
        case .general(let elements):
            var states = PatternStates(elements)
            return states.follow(path, stopsAtDirectory: true) || states.isMatch
        }
    }

    /// Whether something below the directory may match. True when in doubt.
    func mayMatch(below directory: ArraySlice<UInt8>) -> Bool {
        switch form {
        case .literal(let bytes):
            if directory.isEmpty { return !bytes.isEmpty }
            return bytes.count > directory.count + 1 && bytes.starts(with: directory)
                && bytes[directory.count] == slash
        case .prefix(let bytes):
            let below = directory.isEmpty ? [] : Array(directory) + [slash]
            return below.starts(with: bytes) || bytes.starts(with: below)
        case .suffix: return true
        case .general(let elements):
            var states = PatternStates(elements)
            if !directory.isEmpty { states.follow((Array(directory) + [slash])[...]) }
            return !states.isDead
        }
    }

    /// Whether everything below the directory matches. False when in doubt.
    func matchesAll(below directory: ArraySlice<UInt8>) -> Bool {
        if !directory.isEmpty, matchesPathOrParent(directory) { return true }
        switch form {
        case .literal: return false
        case .prefix(let bytes):
            let below = directory.isEmpty ? [] : Array(directory) + [slash]
            return below.starts(with: bytes)
        case .suffix(let bytes): return bytes.isEmpty
        case .general(let elements):
            var states = PatternStates(elements)
            if !directory.isEmpty { states.follow((Array(directory) + [slash])[...]) }
            return states.takesEverything
        }
    }

    /// `**/name` is `name` too, but `**name` is just an end.
    private static func ends(_ path: ArraySlice<UInt8>, with suffix: [UInt8]) -> Bool {
        if path.count >= suffix.count, path.suffix(suffix.count).elementsEqual(suffix) {
            return true
        }
        return suffix.first == slash && path.elementsEqual(suffix.dropFirst())
    }
}

let slash = UInt8(ascii: "/")
