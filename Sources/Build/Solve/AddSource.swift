import HTTP

/// What a source of COPY or ADD is, by how it is written.
enum AddSource: Sendable {
    case path(String)
    case url(HTTPURL)
    case git(GitAddress)

    /// - Parameter text: as expanded.
    init(_ text: String, _ transfer: Transfer) throws(BuildError) {
        if !Self.isRemote(text) {
            self = .path(text)
            return
        }
        if !transfer.isAdd { try CopyPart.checkIsPath(text) }
        if Self.isGit(text) {
            self = .git(try GitAddress(text))
            return
        }
        guard let url = HTTPURL(text) else {
            throw BuildError(
                .input, "ADD can't read the URL",
                hint: "http:// or https://, a host and a path, without a user or a password")
        }
        self = .url(url)
    }

    /// Whether `text` names something of the network.
    static func isRemote(_ text: String) -> Bool { isHTTP(text) || isGit(text) }

    private static func isHTTP(_ text: String) -> Bool {
        text.hasPrefix("http://") || text.hasPrefix("https://")
    }

    /// A URL of a protocol that git alone speaks, or one of HTTP whose path ends in `.git`. Dockerfile reference, "Adding files
    /// from a Git repository".
    static func isGit(_ text: String) -> Bool {
        if text.hasPrefix("git://") || text.hasPrefix("ssh://") || text.hasPrefix("git@") {
            return true
        }
        let path = text.prefix { $0 != "#" && $0 != "?" }
        return isHTTP(text) && path.hasSuffix(".git")
    }
}
