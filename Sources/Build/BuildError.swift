import SystemPackage

/// Why a build ended without an image: in words, with a place, a remedy and the exit status that fits.
public struct BuildError: Error, Sendable, CustomStringConvertible {
    /// The exit statuses of guide.md, section 4.
    public enum Category: Int32, Sendable, Codable {
        /// An instruction failed.
        case instruction = 1
        /// An instruction failed after the policy had refused it a call.
        case refusedByPolicy = 3
        /// Dockerfile, context or policy is wrong.
        case input = 65
        case network = 69
        /// A bug of ours.
        case bug = 70
        /// The host can't do it.
        case host = 71
        /// Store or output not writable.
        case storage = 74
        case interrupted = 130
    }

    public var category: Category
    /// `Dockerfile:12`, where the error is of a line.
    public var location: String?
    public var message: String
    /// The lines of the Dockerfile, with a caret.
    public var excerpt: String?
    public var hint: String?

    public init(
        _ category: Category, _ message: String, location: String? = nil, excerpt: String? = nil,
        hint: String? = nil
    ) {
        self.category = category
        self.message = message
        self.location = location
        self.excerpt = excerpt
        self.hint = hint
    }

    public var description: String { (location.map { "\($0): " } ?? "") + message }
}

extension BuildError.Category {
    /// What an errno alone tells: a disk that is full, broken or not to be written is the fault of no input. Else `other`.
    init(_ errno: Errno, else other: Self) {
        switch errno {
        case .noSpace, .diskQuotaExceeded, .readOnlyFileSystem, .ioError: self = .storage
        default: self = other
        }
    }
}
