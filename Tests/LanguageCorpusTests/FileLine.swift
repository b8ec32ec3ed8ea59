import Archive
import FoundationEssentials
import Glibc
import Linux
import TestSupport

/// A file as one line of the corpus: `f 0644 0:0 a/b=text`, `d 0755 0:0 a`, `l a -> target`, `h b -> a`, `p 0600 0:0 fifo`.
///
/// Text is `\n` for a line break and `\\` for a backslash. In a context there are no owners: `f 0644 a=text`; and there may be
/// archives, with owners again: `a 0644 x.tar=f 0644 5:6 a=A | d 0755 0:0 d`.
struct FileLine: Hashable, Comparable {
    var kind: Character
    var mode: String = ""
    var owner: String = ""
    var path: String
    /// Content, or where a link leads.
    var value: String = ""

    init(_ line: String, hasOwner: Bool) throws {
        let words = line.split(separator: " ", maxSplits: 1).map(String.init)
        guard words.count == 2, let kind = words[0].first, words[0].count == 1 else {
            throw TestSupportError("no file: \(line)")
        }
        self.kind = kind
        var rest = words[1]
        if kind == "l" || kind == "h" {
            guard let arrow = rest.firstRange(of: " -> ") else {
                throw TestSupportError("no target: \(line)")
            }
            path = String(rest[..<arrow.lowerBound])
            value = String(rest[arrow.upperBound...])
            return
        }
        func word() -> String {
            let end = rest.firstIndex(of: " ") ?? rest.endIndex
            defer { rest = String(rest[end...].dropFirst()) }
            return String(rest[..<end])
        }
        mode = word()
        if hasOwner { owner = word() }
        let parts = rest.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        path = String(parts[0])
        value = parts.count > 1 ? Self.unescaped(String(parts[1])) : ""
    }

    /// Of a tar that was written.
    init(_ entry: TarEntry, _ data: [UInt8]) {
        kind =
            switch entry.kind {
            case .file: "f"
            case .directory: "d"
            case .symlink: "l"
            case .hardLink: "h"
            case .fifo: "p"
            case .characterDevice: "c"
            case .blockDevice: "b"
            }
        path = String(decoding: entry.path, as: UTF8.self)
        while path.hasSuffix("/") { path.removeLast() }
        if entry.kind == .symlink || entry.kind == .hardLink {
            value = String(decoding: entry.linkTarget, as: UTF8.self)
            return
        }
        let digits = String(entry.mode, radix: 8)
        mode = String(repeating: "0", count: max(0, 4 - digits.count)) + digits
        owner = "\(entry.uid):\(entry.gid)"
        value = data.contains(0) ? "(binary)" : String(decoding: data, as: UTF8.self)
    }

    var text: String {
        if kind == "l" || kind == "h" { return "\(kind) \(path) -> \(value)" }
        let content = value.isEmpty ? "" : "=" + Self.escaped(value)
        return [String(kind), mode, owner, path].filter { !$0.isEmpty }.joined(separator: " ")
            + content
    }

    static func < (a: FileLine, b: FileLine) -> Bool { (a.path, a.text) < (b.path, b.text) }

    private static func unescaped(_ text: String) -> String {
        var result = ""
        var isEscaped = false
        for character in text {
            if isEscaped {
                result.append(Self.escapes[character] ?? character)
                isEscaped = false
            } else if character == "\\" {
                isEscaped = true
            } else {
                result.append(character)
            }
        }
        return result
    }

    private static func escaped(_ text: String) -> String {
        var result = ""
        for scalar in text.unicodeScalars {
            if let letter = escapes.first(where: { $0.value == Character(scalar) })?.key {
                result += "\\" + String(letter)
            } else {
                result.unicodeScalars.append(scalar)
            }
        }
        return result
    }

    private static let escapes: [Character: Character] = [
        "n": "\n", "t": "\t", "r": "\r", "\\": "\\",
    ]
}

extension FileLine {
    /// Makes the file below a directory of the host, with the directories above it.
    func make(in directory: String) throws {
        let place = directory + "/" + path
        let parent = place.split(separator: "/").dropLast().joined(separator: "/")
        try FileManager.default.createDirectory(
            atPath: "/" + parent, withIntermediateDirectories: true)
        let bits = mode_t(mode, radix: 8) ?? 0
        switch kind {
        case "f":
            try Data(value.utf8).write(to: URL(filePath: place))
            chmod(place, bits)
        case "d":
            mkdir(place, 0o755)
            chmod(place, bits)
        case "a":
            try Data(try Self.archive(value.split(separator: " | ").map(String.init))).write(
                to: URL(filePath: place))
            chmod(place, bits)
        case "l": symlink(value, place)
        case "h": link(directory + "/" + value, place)
        case "p":
            mkfifo(place, 0o600)
            chmod(place, bits)
        default: throw TestSupportError("can't make \(text)")
        }
    }

    /// A tar of these files.
    static func archive(_ lines: [String]) throws -> [UInt8] {
        let sink = MemorySink()
        let tar = TarWriter(to: sink)
        var known: [String: FileLine] = [:]
        for line in lines {
            var file = try FileLine(line, hasOwner: true)
            // Every name of a file says the same of it: a reader may believe any of them.
            if file.kind == "h", let first = known[file.value] {
                (file.mode, file.owner) = (first.mode, first.owner)
            }
            known[file.path] = file
            try file.write(to: tar)
        }
        try tar.finish()
        return sink.bytes
    }

    /// As an entry of a tar.
    func write(to tar: TarWriter) throws {
        let kinds: [Character: TarEntry.Kind] = [
            "f": .file, "d": .directory, "l": .symlink, "h": .hardLink, "p": .fifo,
        ]
        guard let kind = kinds[kind] else { throw TestSupportError("can't write \(text)") }
        var entry = TarEntry(path: Array(path.utf8), kind: kind)
        entry.mode = UInt16(mode, radix: 8) ?? 0o777
        let ids = owner.split(separator: ":").compactMap { UInt32($0) }
        if ids.count == 2 { (entry.uid, entry.gid) = (ids[0], ids[1]) }
        entry.modified = TarEntry.Time(seconds: 1_000_000)
        if kind == .file {
            entry.size = Int64(value.utf8.count)
        } else {
            entry.linkTarget = Array(value.utf8)
        }
        try tar.begin(entry)
        if kind == .file {
            try Array(value.utf8).withUnsafeBytes { try tar.write($0) }
        }
        try tar.end()
    }
}
