import HTTP
import OCI

/// A build context of the network: a git repository, or an archive behind a URL.
public struct RemoteContext: Sendable, Hashable {
    enum Place: Sendable, Hashable {
        case git(GitAddress)
        case archive(HTTPURL)
    }

    let place: Place

    /// Reads `https://host/repo.git#ref:directory`, `git@…`, `git://…`, `ssh://…`, or a URL of http or https; nil for what is
    /// none of them, as a path of this machine.
    ///
    /// - Throws: `BuildError` for what is one of them and can't be fetched.
    public init?(_ text: String) throws(BuildError) {
        guard AddSource.isRemote(text) else { return nil }
        if AddSource.isGit(text) {
            place = .git(try GitAddress(text))
            return
        }
        guard let url = HTTPURL(text) else {
            throw BuildError(
                .input, "\(Harmless.text(text, limit: 300)) is no URL of a build context",
                hint: "http:// or https://, a host and a path, without a user or a password")
        }
        place = .archive(url)
    }
}

extension RemoteContext: CustomStringConvertible {
    /// Without the query of a URL, which may hold a signature.
    public var description: String {
        switch place {
        case .git(let address): Harmless.text(address.description, limit: 300)
        case .archive(let url): Harmless.text(url.redacted, limit: 300)
        }
    }
}
