public import Archive
public import Linux

/// Why a COPY, an ADD or a WORKDIR can't be carried out, and over which word and path.
public struct CopyError: Error, Equatable, CustomStringConvertible {
    public enum Problem: Equatable, Sendable {
        /// Nothing is there, or the ignore file hides it.
        case missingSource
        /// A ".." leads above the context's root, where it counts for nothing, and the rest of the path isn't there.
        case outsideContext
        /// The source is a link, or lies behind one, and nothing is where it leads.
        case brokenLink(link: [UInt8], target: [UInt8])
        case badPattern
        /// A file without a name, of a URL without a path, for a directory.
        case nameless
        /// Several files for a destination that is no directory.
        case needsDirectory
        /// A file where the image has a directory.
        case replacesDirectory
        /// A directory where the image has something else.
        case replacesFile
        /// A path leads through something that is no directory.
        case notDirectory
        /// More than 40 links, as the kernel counts.
        case tooManyLinks
        /// A file that isn't what it was a moment ago.
        case changed
        /// The name begins with ".wh.", which means a removal in a layer.
        case whiteoutName
        /// An entry of an archive that leads out of the root.
        case unsafePath
        /// A hard link of an archive to something that the archive didn't hold before.
        case missingLinkTarget([UInt8])
        /// More or longer names than a layer may have.
        case limit(String)
        case archive(ArchiveError)
        case system(SystemError)
    }

    public var problem: Problem
    /// The word of the instruction, as expanded: a source or the destination.
    public var word: String
    /// The path that the problem is with, in the source or in the image.
    public var path: [UInt8]

    public init(_ problem: Problem, word: String, path: [UInt8] = []) {
        self.problem = problem
        self.word = word
        self.path = path
    }

    public var description: String {
        let place = "/" + printable(path)
        let what =
            switch problem {
            case .missingSource: "no such file or directory"
            case .outsideContext:
                "the path leads out of the build context, which has no \(place) either"
            case .brokenLink(let link, let target):
                "/\(printable(link)) is a link to \(printable(target)), and there is nothing"
            case .badPattern: "not a valid pattern"
            case .nameless:
                "the URL has no name for a file in the directory \(place); name one in the destination"
            case .needsDirectory:
                "several files can't be copied to \(place), which is no directory; end the destination with a slash"
            case .replacesDirectory: "a file can't replace the directory \(place)"
            case .replacesFile: "a directory can't replace \(place), which is no directory"
            case .notDirectory: "\(place) is not a directory"
            case .tooManyLinks: "too many links at \(place)"
            case .changed: "\(place) changed while it was read"
            case .whiteoutName:
                "\(place) can't be in a layer, where a name with .wh. means a removal"
            case .unsafePath: "the archive's entry \(printable(path)) leads out of the destination"
            case .missingLinkTarget(let target):
                "\(place) is a hard link to /\(printable(target)), which the archive does not hold before it"
            case .limit(let what): "\(place): \(what)"
            case .archive(let error): "\(error)"
            case .system(let error): "\(error)"
            }
        return "\(printable(word.utf8)): \(what)"
    }
}

/// What a user should hear although nothing failed.
public enum CopyNotice: Equatable, Sendable, CustomStringConvertible {
    /// A pattern without a match. Dockerfiles use it for files that need not be there.
    case noMatch(word: String)
    /// A ".." leads above the context's root and counts for nothing.
    case leavesContext(word: String)
    /// A socket, which no layer can carry.
    case socketLeftOut(path: [UInt8])

    public var description: String {
        switch self {
        case .noMatch(let word): "\(printable(word.utf8)) matches nothing"
        case .leavesContext(let word):
            "\(printable(word.utf8)) leads out of the build context: its .. is passed over"
        case .socketLeftOut(let path): "/\(printable(path)) is a socket and is left out"
        }
    }
}

/// Runs `body` and says of which word a failure speaks.
func of<Value: ~Copyable>(
    _ word: String, _ body: () throws(SystemError) -> Value
) throws(CopyError) -> Value {
    do { return try body() } catch { throw CopyError(.system(error), word: word) }
}
