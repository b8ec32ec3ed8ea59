/// A parser directive: `# escape=` and its like, above everything else in the file.
public struct Directive: Sendable, Equatable {
    public enum Name: String, Sendable, CaseIterable { case syntax, escape, check }
    public var name: Name
    public var value: Word
}

/// Which lint rules a file or an instruction asks for, as in `# check=skip=JSONArgsRecommended;error=true`.
public struct CheckOptions: Sendable, Equatable {
    public var skipsAll = false
    public var skipped: [String] = []
    public var allExperimental = false
    public var experimental: [String] = []
    /// A finding fails the build.
    public var isError = false

    public init() {}

    /// Reads `skip=A,B;error=true`, as BUILDKIT_DOCKERFILE_CHECK has it; nil where an option is unknown.
    public init?(_ text: String) {
        guard let options = try? CheckOptions(parsing: text) else { return nil }
        self = options
    }

    /// - Throws: `DockerfileError.Problem` naming the option that is not known.
    init(parsing text: String) throws(Fault) {
        for option in text.split(separator: ";", omittingEmptySubsequences: true) {
            let parts = option.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard parts.count == 2 else { throw Fault(.invalidCheck(String(option))) }
            let names = parts[1].split(separator: ",").map { trimmed($0) }
            switch trimmed(parts[0]) {
            case "skip" where names == ["all"]: skipsAll = true
            case "skip": skipped += names
            case "experimental" where names == ["all"]: allExperimental = true
            case "experimental": experimental += names
            case "error":
                guard let value = goBool(trimmed(parts[1])) else {
                    throw Fault(.invalidCheck(String(option)))
                }
                isError = value
            default: throw Fault(.invalidCheck(String(option)))
            }
        }
    }
}

extension Instruction {
    /// Which lint rules a comment directly above the instruction asks for: `# check=skip=...`.
    ///
    /// A comment that is malformed asks for nothing, since it is only a comment.
    public var check: CheckOptions? {
        for comment in comments {
            let parts = comment.text.split(separator: "=", maxSplits: 1).map { trimmed($0) }
            guard parts.count == 2, parts[0].lowercased() == "check" else { continue }
            return try? CheckOptions(parsing: String(parts[1].prefix { $0 != " " }))
        }
        return nil
    }
}

/// The directives at the top of a file, each line asked in turn until one is something else.
struct DirectiveReader {
    private(set) var directives: [Directive] = []
    private(set) var escape: Unicode.Scalar = "\\"
    private(set) var check = CheckOptions()
    /// Whether somebody else has named the front end already.
    let ignoresFrontEnd: Bool
    private var isDone = false

    init(ignoresFrontEnd: Bool = false) { self.ignoresFrontEnd = ignoresFrontEnd }

    /// Whether the line, without the white space before it, was a directive.
    mutating func read(_ line: Piece, isFirst: Bool) throws(Fault) -> Bool {
        guard !isDone else { return false }
        if isFirst, line.scalars.starts(with: "#!".unicodeScalars) { return false }
        guard let directive = Self.directive(in: line) else {
            isDone = true
            return false
        }
        let value = directive.value
        guard !directives.contains(where: { $0.name == directive.name }) else {
            throw Fault(.repeatedDirective(directive.name.rawValue), at: line.range)
        }
        directives.append(directive)
        switch directive.name {
        case .escape:
            guard value.text == "\\" || value.text == "`" else {
                throw Fault(.invalidEscape(value.text), at: value.range)
            }
            escape = value.text == "`" ? "`" : "\\"
        case .syntax:
            let reference = String(value.text.prefix { $0 != " " })
            guard ignoresFrontEnd || isOurFrontEnd(reference) else {
                throw Fault(.externalFrontEnd(reference), at: value.range)
            }
        case .check:
            do throws(Fault) {
                check = try CheckOptions(parsing: String(value.text.prefix { $0 != " " }))
            } catch { throw Fault(error.problem, at: value.range) }
        }
        return true
    }

    /// `# name = value`, where the name is one we know.
    private static func directive(in line: Piece) -> Directive? {
        guard line.scalars.first == "#" else { return nil }
        let body = line[line.bounds.dropFirst().startIndex..<line.bounds.upperBound].trimmed
        guard let (key, rest) = body.cutAtEquals() else { return nil }
        let value = rest.trimmed
        guard let name = Directive.Name(rawValue: key.trimmed.text.lowercased()), !value.isEmpty
        else { return nil }
        return Directive(name: name, value: value.word)
    }
}

/// Whether a `# syntax=` reference names the front end whose language this is: any 1.x of it.
public func isOurFrontEnd(_ reference: String) -> Bool {
    var name = Substring(reference)
    if let digest = name.firstIndex(of: "@") { name = name[..<digest] }
    var tag: Substring = "1"
    if let colon = name.lastIndex(of: ":"), !name[colon...].contains("/") {
        tag = name[name.index(after: colon)...]
        name = name[..<colon]
    }
    for host in ["docker.io/", "index.docker.io/", "registry-1.docker.io/"]
    where name.hasPrefix(host) {
        name = name.dropFirst(host.count)
    }
    let isOurs = name == "docker/dockerfile" || name == "docker/dockerfile-upstream"
    let named: Set<Substring> = ["1", "labs", "latest", "master", "master-labs"]
    return isOurs && (named.contains(tag) || tag.hasPrefix("1.") || tag.hasPrefix("1-"))
}

private func trimmed(_ text: Substring) -> String {
    let scalars = text.unicodeScalars
    guard let first = scalars.firstIndex(where: { !$0.isSpace }),
        let last = scalars.lastIndex(where: { !$0.isSpace })
    else { return "" }
    return String(scalars[first...last])
}

/// The words that Go takes for truth values.
func goBool(_ word: String) -> Bool? {
    switch word {
    case "1", "t", "T", "true", "TRUE", "True": true
    case "0", "f", "F", "false", "FALSE", "False": false
    default: nil
    }
}
