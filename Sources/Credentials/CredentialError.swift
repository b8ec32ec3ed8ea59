public import SystemPackage

/// A place of credentials that could not be read or written. It names the place, never what is in it.
public struct CredentialError: Error, Sendable, Equatable {
    public enum Problem: Sendable, Equatable {
        case system(operation: String, Errno)
        case tooLarge(limit: Int)
        /// Not JSON from this byte on.
        case notJSON(offset: Int)
        /// JSON, but not in the form that this place has: the path of a value.
        case malformed(path: String)
        case invalidHelperName(String)
        case helperNotFound
        case helperTimedOut(seconds: Int)
        case helperFailed(status: String, message: String)
        case helperAnswer
        /// A client certificate without its key, or the other way round.
        case certificateWithoutKey(String)
        case keyWithoutCertificate(String)
        case cancelled
    }

    /// A file, a variable of the environment, or a helper.
    public var place: String
    public var problem: Problem

    public init(_ place: String, _ problem: Problem) {
        self.place = place
        self.problem = problem
    }

    /// What the user could do.
    public var hint: String? {
        switch problem {
        case .notJSON, .malformed: "nothing was changed in it; mend it, or log in anew without it"
        case .helperNotFound: "install it, or remove it from credsStore and credHelpers"
        case .helperTimedOut, .helperFailed, .helperAnswer:
            "see what it says by itself: echo HOST | \(place) get"
        default: nil
        }
    }
}

extension CredentialError: CustomStringConvertible {
    public var description: String {
        switch problem {
        case .system(let operation, let errno): "\(operation) \(place): \(errno.lowercased)"
        case .tooLarge(let limit): "\(place) is larger than \(limit) bytes"
        case .notJSON(let offset): "\(place) is not JSON (at byte \(offset))"
        case .malformed(let path): "\(place): \(path) is not what it should be"
        case .invalidHelperName(let name):
            "\(place) names the credential helper \(name), which is no name"
        case .helperNotFound: "\(place) is nowhere along PATH"
        case .helperTimedOut(let seconds): "\(place) gave no answer in \(seconds) seconds"
        case .helperFailed(let status, let message):
            "\(place) failed (\(status))" + (message.isEmpty ? "" : ": \(message)")
        case .helperAnswer: "\(place) gave an answer that is none"
        case .certificateWithoutKey(let name): "\(place)/\(name) has no key beside it"
        case .keyWithoutCertificate(let name): "\(place)/\(name) has no certificate beside it"
        case .cancelled: "\(place): cancelled"
        }
    }
}

extension Errno {
    fileprivate var lowercased: String {
        let text = description
        return text.prefix(1).lowercased() + text.dropFirst()
    }
}
