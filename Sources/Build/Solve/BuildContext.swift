import Contexts
import Dockerfile
import Linux
import SystemPackage

/// The build context and the Dockerfile, opened.
final class BuildContext: Sendable {
    /// What COPY and ADD may take.
    let source: DirectorySource
    /// The directories of named contexts, by their paths.
    let directories: [String: DirectorySource]
    private let dockerfile: [UInt8]
    /// What messages call the Dockerfile.
    private let dockerfileName: String

    init(_ request: BuildRequest) throws {
        guard case .directory(let path) = request.context else {
            throw BuildError(.input, "unknown context")
        }
        let directory = try Self.open(path)
        (dockerfile, dockerfileName) = try Self.readDockerfile(request, directory.borrowed, path)
        let ignored = try Self.ignored(request, directory, dockerfileName)
        source = directory.source(filter: ignored)
        var directories: [String: DirectorySource] = [:]
        for case .directory(let path) in request.namedContexts.values {
            directories[path] = try Self.namedDirectory(path)
        }
        self.directories = directories
    }

    /// A directory with its own ignore file, as in BuildKit.
    private static func namedDirectory(_ path: String) throws -> DirectorySource {
        let directory = try open(path)
        let rules = try rules(of: try directory.ignoreText(dockerfile: nil))
        return directory.source(filter: rules)
    }

    /// What the ignore file leaves: that of this Dockerfile, which lies beside it, else the context's.
    private static func ignored(
        _ request: BuildRequest, _ directory: borrowing ContextDirectory, _ name: String
    ) throws -> IgnoreFile? {
        let text: ContextDirectory.IgnoreText?
        if let file = request.dockerfile {
            let parent = file.split(separator: "/", omittingEmptySubsequences: false).dropLast()
                .joined(separator: "/")
            let start = file.contains("/") ? (parent.isEmpty ? "/" : parent) : "."
            let beside = try FileDescriptor.workingDirectory.open(
                start, [.readOnly, .directory], resolve: .system)
            text = try directory.ignoreText(dockerfile: name, in: beside.borrowed)
        } else {
            text = try directory.ignoreText(dockerfile: name)
        }
        return try rules(of: text)
    }

    private static func rules(of text: ContextDirectory.IgnoreText?) throws -> IgnoreFile? {
        guard let text else { return nil }
        let rules = try IgnoreFile(parsing: text.bytes, file: text.name)
        return rules.isEmpty ? nil : rules
    }

    func parse() throws -> DockerfileDocument {
        do throws(DockerfileError) {
            return try DockerfileDocument.parse(dockerfile, file: dockerfileName)
        } catch {
            var failure = BuildError(any: error)
            failure.excerpt = error.excerpt(in: dockerfile)
            throw failure
        }
    }

    private static func open(_ path: String) throws -> ContextDirectory {
        do throws(SystemError) { return try ContextDirectory(path) } catch {
            throw BuildError(.input, error.description)
        }
    }

    /// The file that `--file` names, else `Dockerfile`, else `Containerfile` of the context.
    private static func readDockerfile(
        _ request: BuildRequest, _ context: FileDescriptor, _ path: String
    ) throws -> ([UInt8], String) {
        if let file = request.dockerfile {
            do throws(Errno) {
                let name = file.split(separator: "/").last.map(String.init) ?? file
                return (try read(FileDescriptor.workingDirectory, file, .system), name)
            } catch { throw BuildError(.input, "read \(file): \(error.inWords)") }
        }
        for name in ["Dockerfile", "Containerfile"] {
            do throws(Errno) { return (try read(context, name, .inRoot), name) } catch {
                if error != .noSuchFileOrDirectory {
                    throw BuildError(.input, "read \(name): \(error.inWords)")
                }
            }
        }
        throw BuildError(
            .input, "\(path) has neither a Dockerfile nor a Containerfile",
            hint: "name it with --file")
    }

    private static func read(_ directory: FileDescriptor, _ path: String, _ resolve: Resolve)
        throws(Errno) -> [UInt8]
    {
        let file = try directory.open(path, [.readOnly, .nonBlocking], resolve: resolve)
        // One more than the parser allows, so that it is the parser who says that it is too large.
        return try file.borrowed.readAll(limit: Limits.fileSize + 1)
    }
}
