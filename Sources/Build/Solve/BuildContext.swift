import Contexts
import Dockerfile
import Layers
import Linux
import SystemPackage

/// The build context, opened.
final class BuildContext: Sendable {
    /// What COPY and ADD may take.
    let source: any CopySource
    /// The files of named contexts; images are none.
    let named: [NamedContext: any CopySource]
    /// What stays out of `source`.
    let ignored: IgnoreFile?

    /// - Parameter named: the files of the named contexts.
    init(
        _ files: ContextFiles, _ dockerfile: DockerfileText,
        named: [NamedContext: ContextFiles] = [:]
    ) throws {
        ignored = try Self.ignored(dockerfile, files)
        source = try files.source(filter: ignored)
        self.named = try named.mapValues(Self.namedSource)
    }

    /// A directory with its own ignore file, as in BuildKit.
    private static func namedSource(_ files: ContextFiles) throws -> any CopySource {
        guard let directory = try files.directory() else { return try files.source(filter: nil) }
        let text = try readable { () throws(SystemError) in
            try directory.ignoreText(dockerfile: nil)
        }
        return try files.source(filter: try rules(of: text))
    }

    /// What the ignore file leaves: that of this Dockerfile, which lies beside it, else the context's.
    private static func ignored(
        _ dockerfile: DockerfileText, _ files: ContextFiles
    ) throws -> IgnoreFile? {
        guard let directory = try files.directory() else { return nil }
        if let place = dockerfile.directory {
            let beside = try FileDescriptor.workingDirectory.open(
                place, [.readOnly, .directory], resolve: .system)
            let text = try readable { () throws(SystemError) in
                try directory.ignoreText(dockerfile: dockerfile.name, in: beside.borrowed)
            }
            return try rules(of: text)
        }
        let text = try readable { () throws(SystemError) in
            try directory.ignoreText(dockerfile: dockerfile.isInContext ? dockerfile.name : nil)
        }
        return try rules(of: text)
    }

    /// An ignore file that can't be read is the context's fault: it is too large, or a link in a circle, or closed to the user.
    private static func readable<Value>(_ body: () throws(SystemError) -> Value) throws -> Value {
        do { return try body() } catch {
            if error.errno == .ioError { throw error }
            let limit = ContextDirectory.largestIgnoreFile >> 20
            throw BuildError(
                .input, "\(error)",
                hint: error.errno == .fileTooLarge ? "an ignore file has at most \(limit) MiB" : nil
            )
        }
    }

    private static func rules(of text: ContextDirectory.IgnoreText?) throws -> IgnoreFile? {
        guard let text else { return nil }
        let rules = try IgnoreFile(parsing: text.bytes, file: text.name)
        return rules.isEmpty ? nil : rules
    }
}
