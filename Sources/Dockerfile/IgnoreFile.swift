/// Which paths of a build context stay out: a `.dockerignore`.
///
/// The last pattern that matches a path, or a directory above it, decides; `!` lets it back in.
/// Paths are relative, without a slash at either end. Semantics of moby/patternmatcher.
public struct IgnoreFile: Sendable, Equatable {
    private struct Rule: Sendable, Equatable {
        var pattern: PathPattern
        /// Written `!pattern`: what matches is included.
        var includes: Bool
        /// Written `*`, `**` or `**/*`.
        var coversAll: Bool
    }
    private let rules: [Rule]

    /// Nothing is ignored.
    public init() { rules = [] }

    /// Reads an ignore file: one pattern a line, `#` begins a comment.
    public init(parsing bytes: [UInt8], file: String) throws(IgnoreFileError) {
        guard bytes.count <= Limits.fileSize else {
            throw IgnoreFileError(
                file: file, line: 1, problem: .fileTooLarge(limit: Limits.fileSize))
        }
        let mark: [UInt8] = [0xEF, 0xBB, 0xBF]
        let text = bytes.starts(with: mark) ? bytes.dropFirst(mark.count) : bytes[...]
        var rules: [Rule] = []
        let lines = text.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
        for (index, line) in lines.enumerated() {
            if line.first == UInt8(ascii: "#") { continue }
            do throws(PatternError) {
                guard let rule = try Self.rule(line) else { continue }
                rules.append(rule)
            } catch {
                throw IgnoreFileError(file: file, line: index + 1, problem: .pattern(error))
            }
            guard rules.count <= Limits.ignorePatterns else {
                let problem = IgnoreFileError.Problem.tooManyPatterns(limit: Limits.ignorePatterns)
                throw IgnoreFileError(file: file, line: index + 1, problem: problem)
            }
        }
        self.rules = rules
    }

    /// The same rules from single patterns, as `COPY --exclude` gives them.
    public init(patterns: [String]) throws(PatternError) {
        var rules: [Rule] = []
        for pattern in patterns {
            if let rule = try Self.rule(Array(pattern.utf8)[...]) { rules.append(rule) }
        }
        self.rules = rules
    }

    /// Whether no path is ignored.
    public var isEmpty: Bool { rules.allSatisfy(\.includes) }

    /// Whether a pattern lets something back in: then only a walk says whether a directory is empty.
    public var hasExceptions: Bool { rules.contains(where: \.includes) }

    /// Whether one pattern leaves nothing of the context.
    public var ignoresEverything: Bool {
        rules.contains { !$0.includes && $0.coversAll } && !hasExceptions
    }

    /// Whether the path stays out.
    public func matches(_ path: ArraySlice<UInt8>) -> Bool {
        let path = Self.trimmedSlashes(path)
        if path.isEmpty || path.elementsEqual([UInt8(ascii: ".")]) { return false }
        for rule in rules.reversed() where rule.pattern.matchesPathOrParent(path) {
            return !rule.includes
        }
        return false
    }

    public func matches(_ path: [UInt8]) -> Bool { matches(path[...]) }

    /// Whether something below the directory may be included; if not, a walk need not enter it.
    ///
    /// An empty path is the context itself. True when in doubt.
    public func mayInclude(below directory: ArraySlice<UInt8>) -> Bool {
        let directory = Self.trimmedSlashes(directory)
        for rule in rules.reversed() {
            if rule.includes {
                let isCovered = !directory.isEmpty && rule.pattern.matchesPathOrParent(directory)
                if isCovered || rule.pattern.mayMatch(below: directory) { return true }
            } else if rule.pattern.matchesAll(below: directory) {
                return false
            }
        }
        return true
    }

    public func mayInclude(below directory: [UInt8]) -> Bool { mayInclude(below: directory[...]) }

    private static func rule(_ line: ArraySlice<UInt8>) throws(PatternError) -> Rule? {
        var pattern = trimmedSpace(line)
        guard !pattern.isEmpty else { return nil }
        let includes = pattern.first == UInt8(ascii: "!")
        if includes {
            pattern = trimmedSpace(pattern.dropFirst())
            guard !pattern.isEmpty else { throw PatternError(pattern: "!") }
        }
        var clean = cleanPath(pattern)
        if clean.count > 1, clean.first == slash { clean.removeFirst() }
        let text = String(decoding: clean, as: UTF8.self)
        return Rule(
            pattern: try PathPattern(clean[...]), includes: includes,
            coversAll: ["*", "**", "**/*"].contains(text))
    }

    private static func trimmedSpace(_ line: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || (0x09...0x0D).contains(byte) }
        var line = line.drop(while: isSpace)
        while let last = line.last, isSpace(last) { line.removeLast() }
        return line
    }

    private static func trimmedSlashes(_ path: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        var path = path.drop { $0 == slash }
        while path.last == slash { path.removeLast() }
        return path
    }
}

/// An ignore file that cannot be used, and where.
public struct IgnoreFileError: Error, Equatable, Sendable, CustomStringConvertible {
    public enum Problem: Equatable, Sendable {
        case fileTooLarge(limit: Int)
        case tooManyPatterns(limit: Int)
        case pattern(PatternError)
    }
    public var file: String
    public var line: Int
    public var problem: Problem

    /// One line: `.dockerignore:3: malformed pattern "["`
    public var description: String {
        let message =
            switch problem {
            case .fileTooLarge(let limit): "the file is larger than \(limit) bytes"
            case .tooManyPatterns(let limit): "more than \(limit) patterns"
            case .pattern(let error): error.description
            }
        return "\(file):\(line): \(message)"
    }
}

/// The shortest path that means the same: no empty parts, no `.`, and `..` resolved where possible.
func cleanPath(_ path: ArraySlice<UInt8>) -> [UInt8] {
    let isAbsolute = path.first == slash
    let up = Array("..".utf8)
    var parts: [ArraySlice<UInt8>] = []
    for part in path.split(separator: slash) {
        if part.elementsEqual([UInt8(ascii: ".")]) { continue }
        if part.elementsEqual(up) {
            if let last = parts.last, !last.elementsEqual(up) {
                parts.removeLast()
            } else if !isAbsolute {
                parts.append(part)
            }
        } else {
            parts.append(part)
        }
    }
    let joined = Array(parts.joined(separator: [slash]))
    if isAbsolute { return [slash] + joined }
    return joined.isEmpty ? [UInt8(ascii: ".")] : joined
}
