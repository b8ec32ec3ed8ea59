import Dockerfile
public import Lint
import OCI
public import Store

extension Checks {
    /// What `lichen lint` says of the file that `request` means. Nothing is asked of a registry, and nothing is written.
    ///
    /// - Parameters:
    ///   - request: looked at for the first of its platforms.
    ///   - store: where base images are looked up, for what they set; nil: they are not known.
    /// - Throws: `BuildError` for a file that can't be read. One that can't be parsed is a report.
    public static func lint(_ request: BuildRequest, store: Store?) async throws -> LintReport {
        guard case .directory(let path) = request.context else {
            throw BuildError(.input, "only a directory of this machine is checked")
        }
        let files = ContextFiles(directory: path)
        let text = try await DockerfileText.read(request, in: files)
        let builtIn = try BuiltInArguments(request.buildArguments)
        let document: DockerfileDocument
        do throws(DockerfileError) {
            document = try DockerfileDocument.parse(
                text.bytes, file: text.name, ignoresFrontEnd: builtIn.namesFrontEnd)
        } catch { return LintReport(error, in: text.bytes) }
        let platform = request.platforms.first ?? .host
        var input = try input(document, request, for: platform)
        do {
            input.ignored = try BuildContext(files, text).ignored
        } catch { throw BuildError(any: error) }
        if let target = request.target {
            do throws(DockerfileError) {
                input.stages = try needed(for: target, document, request, platform)
            } catch { return LintReport(error, in: text.bytes) }
        }
        if let store {
            let images = ImageSource(store: store, request: request, observer: { _ in })
            for stage in document.stages {
                input.bases[stage.index] = await base(of: stage, input, images)
            }
        }
        return LintReport(input)
    }

    private static func needed(
        for target: String, _ document: DockerfileDocument, _ request: BuildRequest,
        _ platform: Platform
    ) throws(DockerfileError) -> Set<Int> {
        let scope = try GlobalScope(document, request: request, for: platform)
        var bases: [String] = []
        for stage in document.stages {
            bases.append(try document.expand(stage.from.base, scope.value).text)
        }
        let graph = try StageGraph(document, bases: bases)
        return Set(graph.order(target: try document.stage(target: target).index))
    }

    /// What the store knows of a stage's base image; nil for anything else.
    private static func base(
        of stage: Stage, _ input: LintInput, _ images: ImageSource
    ) async -> LintBase? {
        let predefined = input.predefined
        // What can't be expanded, or is no image's name, is a finding or an error elsewhere.
        guard
            let scope = try? GlobalScope(
                input.document, arguments: input.buildArguments, predefined: predefined),
            let base = try? input.document.expand(stage.from.base, scope.value).text,
            let reference = try? Reference(parsing: base)
        else { return nil }
        let asked = stage.from.platform.flatMap { try? input.document.expand($0, scope.value).text }
        let name = asked ?? predefined["TARGETPLATFORM"] ?? ""
        let platform = (try? Platform(parsing: name)) ?? .host
        let image = try? await images.storedImage(reference, platform)
        return image.map { LintBase($0.config) }
    }
}
