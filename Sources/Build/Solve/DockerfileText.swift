import Contexts
public import Dockerfile
import HTTP
import Limits
import Linux
import OCI
import SystemPackage

/// A Dockerfile as it was found: by its path, at a URL, on standard input, or in the context.
public struct DockerfileText: Sendable, Equatable {
    public var bytes: [UInt8]
    /// What messages call it.
    public var name: String
    /// The directory of a file that was named: an ignore file of its own lies beside it. Nil for all others.
    var directory: String?
    /// It lies in the build context.
    var isInContext = false

    /// Finds the file that `request` means, whose context is a directory of this machine.
    ///
    /// - Throws: `BuildError` where there is none, or it can't be read. One that is too large is left to the parser.
    public static func read(_ request: BuildRequest) async throws(BuildError) -> DockerfileText {
        guard case .directory(let path) = request.context else {
            throw BuildError(.input, "the build context is not a directory of this machine")
        }
        return try await read(request, in: ContextFiles(directory: path))
    }

    /// The same, with the files of any context.
    static func read(
        _ request: BuildRequest, in files: ContextFiles
    ) async throws(BuildError) -> DockerfileText {
        if let bytes = files.dockerfile {
            if request.dockerfile != nil || request.dockerfileText != nil {
                throw BuildError(
                    .input, "\(files.name) is a Dockerfile, and --file names another",
                    hint: "without --file this one counts; for another, name a context with files")
            }
            return DockerfileText(bytes: bytes, name: "Dockerfile")
        }
        if let bytes = request.dockerfileText {
            return DockerfileText(bytes: bytes, name: "Dockerfile")
        }
        guard let file = request.dockerfile else {
            return try inContext(
                files, ["Dockerfile", "Containerfile"], hint: "name it with --file")
        }
        if file.contains("://") { return try await fetch(file) }
        if !files.isOfThisMachine {
            return try inContext(
                files, [file], hint: "with such a context, --file is a path in it")
        }
        return try beside(file)
    }

    private static func beside(_ file: String) throws(BuildError) -> DockerfileText {
        let parts = file.split(separator: "/", omittingEmptySubsequences: false)
        let parent = parts.dropLast().joined(separator: "/")
        let directory = parts.count > 1 ? (parent.isEmpty ? "/" : parent) : "."
        do throws(Errno) {
            let bytes = try read(FileDescriptor.workingDirectory, file, .system)
            let name = file.split(separator: "/").last.map(String.init) ?? file
            return DockerfileText(bytes: bytes, name: name, directory: directory)
        } catch {
            throw BuildError(.init(error, else: .input), "read \(file): \(error.inWords)")
        }
    }

    /// - Parameter arguments: the build arguments, of which BUILDKIT_SYNTAX names the front end.
    public func parse(arguments: [String: String] = [:]) throws(BuildError) -> DockerfileDocument {
        let ignoresFrontEnd = try BuiltInArguments(arguments).namesFrontEnd
        do throws(DockerfileError) {
            return try DockerfileDocument.parse(
                bytes, file: name, ignoresFrontEnd: ignoresFrontEnd)
        } catch {
            var failure = BuildError(any: error)
            failure.excerpt = error.excerpt(in: bytes)
            throw failure
        }
    }

    // MARK: - In the context

    /// The first of `names` that is there.
    private static func inContext(
        _ files: ContextFiles, _ names: [String], hint: String
    ) throws(BuildError) -> DockerfileText {
        guard let context = try directory(of: files) else {
            throw BuildError(.bug, "a Dockerfile without files was not taken")
        }
        for name in names {
            do throws(Errno) {
                let bytes = try read(context.borrowed, name, .inRoot)
                return DockerfileText(bytes: bytes, name: name, isInContext: true)
            } catch {
                if error != .noSuchFileOrDirectory {
                    throw BuildError(
                        .init(error, else: .input),
                        "read \(name) of \(files.name): \(error.inWords)")
                }
            }
        }
        let missing =
            names.count == 1
            ? "no \(Harmless.text(names[0], limit: 300))"
            : "neither a \(names.joined(separator: " nor a "))"
        throw BuildError(.input, "\(files.name) has \(missing)", hint: hint)
    }

    private static func directory(of files: ContextFiles) throws(BuildError) -> ContextDirectory? {
        do { return try files.directory() } catch { throw BuildError(any: error) }
    }

    private static func read(_ directory: FileDescriptor, _ path: String, _ resolve: Resolve)
        throws(Errno) -> [UInt8]
    {
        let file = try directory.open(path, [.readOnly, .nonBlocking], resolve: resolve)
        // One more than the parser allows, so that it is the parser who says that it is too large.
        return try file.borrowed.readAll(limit: Limits.fileSize + 1)
    }

    // MARK: - At a URL

    private static let mostRedirects = Limit.dockerfileRedirects

    private static func fetch(_ text: String) async throws(BuildError) -> DockerfileText {
        guard var url = HTTPURL(text) else {
            throw BuildError(
                .input, "\(Harmless.text(text, limit: 300)) is no URL of a Dockerfile",
                hint: "http:// and https:// are read, without a name and a password in the URL")
        }
        let client = HTTPClient(userAgent: "lichen/\(lichenVersion)")
        for _ in 0...mostRedirects {
            let response: HTTPResponse
            do throws(HTTPError) {
                response = try await client.collect(
                    HTTPRequest(.get, url), limit: Limits.fileSize)
            } catch { throw failure(error, url) }
            switch response.status {
            case 200: return DockerfileText(bytes: response.body, name: "Dockerfile")
            case 301, 302, 303, 307, 308:
                url = try next(after: url, response)
            default:
                throw BuildError(.network, "read \(url.redacted): status \(response.status)")
            }
        }
        throw BuildError(.network, "read \(text): more than \(mostRedirects) redirects")
    }

    /// Never from https to http: who stands in between could write the Dockerfile.
    private static func next(after url: HTTPURL, _ response: HTTPResponse) throws(BuildError)
        -> HTTPURL
    {
        guard let location = response.headers["location"], let next = url.resolving(location) else {
            throw BuildError(.network, "read \(url.redacted): a redirect to nowhere")
        }
        if url.scheme == "https" && next.scheme != "https" {
            throw BuildError(.network, "read \(url.redacted): a redirect from https to http")
        }
        return next
    }

    private static func failure(_ error: HTTPError, _ url: HTTPURL) -> BuildError {
        if case .tooLarge(let limit) = error.problem {
            return BuildError(.input, "\(url.redacted) is larger than \(limit) bytes")
        }
        return BuildError(.network, "\(error)")
    }
}
