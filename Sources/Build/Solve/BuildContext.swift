import Dockerfile
import Linux
import SystemPackage

/// The build context and the Dockerfile, opened.
final class BuildContext: Sendable {
    let directory: OwnedDescriptor
    private let dockerfile: [UInt8]
    /// What messages call the Dockerfile.
    private let dockerfileName: String

    init(_ request: BuildRequest) throws {
        guard case .directory(let path) = request.context else { throw BuildError(.input, "unknown context") }
        directory = try Self.open(path)
        (dockerfile, dockerfileName) = try Self.readDockerfile(request, directory.borrowed, path)
    }

    func parse() throws -> DockerfileDocument {
        do throws(DockerfileError) { return try DockerfileDocument.parse(dockerfile, file: dockerfileName) } catch {
            var failure = BuildError(any: error)
            failure.excerpt = error.excerpt(in: dockerfile)
            throw failure
        }
    }

    private static func open(_ path: String) throws -> OwnedDescriptor {
        do throws(Errno) {
            return try FileDescriptor.workingDirectory.open(path, [.readOnly, .directory], resolve: .system)
        } catch { throw BuildError(.input, "open the context \(path): \(error.inWords)") }
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
                if error != .noSuchFileOrDirectory { throw BuildError(.input, "read \(name): \(error.inWords)") }
            }
        }
        throw BuildError(
            .input, "\(path) has neither a Dockerfile nor a Containerfile", hint: "name it with --file")
    }

    private static func read(_ directory: FileDescriptor, _ path: String, _ resolve: Resolve) throws(Errno) -> [UInt8] {
        let file = try directory.open(path, [.readOnly, .nonBlocking], resolve: resolve)
        // One more than the parser allows, so that it is the parser who says that it is too large.
        return try file.borrowed.readAll(limit: Limits.fileSize + 1)
    }
}
