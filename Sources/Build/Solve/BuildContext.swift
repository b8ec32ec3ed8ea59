import Contexts
import Dockerfile
import Linux
import SystemPackage

/// The build context, opened.
final class BuildContext: Sendable {
    /// What COPY and ADD may take.
    let source: DirectorySource
    /// The directories of named contexts, by their paths.
    let directories: [String: DirectorySource]
    /// What stays out of `source`.
    let ignored: IgnoreFile?

    init(_ request: BuildRequest, _ dockerfile: DockerfileText) throws {
        guard case .directory(let path) = request.context else {
            throw BuildError(.input, "unknown context")
        }
        let directory = try Self.open(path)
        ignored = try Self.ignored(dockerfile, directory)
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
        _ dockerfile: DockerfileText, _ directory: borrowing ContextDirectory
    ) throws -> IgnoreFile? {
        if let place = dockerfile.directory {
            let beside = try FileDescriptor.workingDirectory.open(
                place, [.readOnly, .directory], resolve: .system)
            return try rules(
                of: try directory.ignoreText(dockerfile: dockerfile.name, in: beside.borrowed))
        }
        return try rules(
            of: try directory.ignoreText(dockerfile: dockerfile.isInContext ? dockerfile.name : nil)
        )
    }

    private static func rules(of text: ContextDirectory.IgnoreText?) throws -> IgnoreFile? {
        guard let text else { return nil }
        let rules = try IgnoreFile(parsing: text.bytes, file: text.name)
        return rules.isEmpty ? nil : rules
    }

    static func open(_ path: String) throws(BuildError) -> ContextDirectory {
        do throws(SystemError) { return try ContextDirectory(path) } catch {
            throw BuildError(.input, error.description)
        }
    }
}
