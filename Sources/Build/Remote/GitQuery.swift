import Dockerfile
import OCI

/// What stands behind the question mark of a repository's address, as BuildKit reads it: each word once, none unknown.
struct GitQuery {
    /// Of `ref`, or the whole name that `branch` or `tag` means.
    private(set) var reference: String?
    private(set) var directory: String?
    private(set) var checksum: String?
    private(set) var keepsGitDirectory: Bool?
    private(set) var hasSubmodules = true
    private(set) var keepsCommitTime = false
    private(set) var fetchesByCommit = false

    private static let names = [
        "ref", "tag", "branch", "subdir", "checksum", "commit", "keep-git-dir", "submodules",
        "mtime",
        "fetch-by-commit",
    ]
    /// A flag is true without a value.
    private static let flags: Set = ["keep-git-dir", "submodules", "fetch-by-commit"]

    init(_ text: Substring) throws(BuildError) {
        var values: [String: String] = [:]
        for item in text.split(separator: "&") {
            let parts = item.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard let name = Self.decoded(parts[0]),
                let value = Self.decoded(parts.count > 1 ? parts[1] : "")
            else { throw Self.problem("a percent sign without a number in \(item)") }
            guard Self.names.contains(name) else {
                let near = nearest(to: name, among: Self.names).map { "; did you mean \($0)?" }
                throw Self.problem("no query is called \(name)" + (near ?? ""))
            }
            if value.isEmpty, !Self.flags.contains(name) {
                throw Self.problem("\(name) has no value")
            }
            if values.updateValue(value, forKey: name) != nil {
                throw Self.problem("\(name) is there twice")
            }
        }
        try read(values)
    }

    private mutating func read(_ values: [String: String]) throws(BuildError) {
        reference = try Self.reference(values)
        directory = values["subdir"].map { GitAddress.cleaned($0) }
        if values["checksum"] != nil, values["commit"] != nil {
            throw Self.problem("checksum and commit are the same, and both are there")
        }
        checksum = values["checksum"] ?? values["commit"]
        keepsGitDirectory = try Self.truth("keep-git-dir", values)
        hasSubmodules = try Self.truth("submodules", values) ?? true
        fetchesByCommit = try Self.truth("fetch-by-commit", values) ?? false
        switch values["mtime"] {
        case nil, "checkout": break
        case "commit": keepsCommitTime = true
        case let other?: throw Self.problem("mtime is checkout or commit, not \(other)")
        }
    }

    private static func reference(_ values: [String: String]) throws(BuildError) -> String? {
        func whole(_ name: String, below prefix: String) -> String? {
            values[name].map { $0.hasPrefix(prefix) ? $0 : prefix + $0 }
        }
        let (tag, branch) = (
            whole("tag", below: "refs/tags/"), whole("branch", below: "refs/heads/")
        )
        if tag != nil, branch != nil { throw problem("it names a branch and a tag") }
        if let named = tag ?? branch, let reference = values["ref"], reference != named {
            throw problem("it names \(reference) and \(named)")
        }
        return tag ?? branch ?? values["ref"]
    }

    private static func truth(_ name: String, _ values: [String: String]) throws(BuildError)
        -> Bool?
    {
        switch values[name]?.lowercased() {
        case nil: return nil
        case "", "1", "t", "true": return true
        case "0", "f", "false": return false
        case let other?: throw problem("\(name) is true or false, not \(other)")
        }
    }

    private static func decoded(_ text: Substring) -> String? {
        var bytes: [UInt8] = []
        var rest = Array(text.utf8)[...]
        while let byte = rest.popFirst() {
            if byte == UInt8(ascii: "+") {
                bytes.append(UInt8(ascii: " "))
            } else if byte == UInt8(ascii: "%") {
                guard rest.count >= 2,
                    let value = UInt8(String(decoding: rest.prefix(2), as: UTF8.self), radix: 16)
                else { return nil }
                bytes.append(value)
                rest = rest.dropFirst(2)
            } else {
                bytes.append(byte)
            }
        }
        return String(validating: bytes, as: UTF8.self)
    }

    private static func problem(_ what: String) -> BuildError {
        BuildError(
            .input, "the query of a git repository's address: \(Harmless.text(what, limit: 300))",
            hint: "known are " + names.joined(separator: ", "))
    }
}
