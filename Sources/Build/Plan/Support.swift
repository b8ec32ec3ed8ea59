import Dockerfile
import OCI

/// What of the language is not carried out yet: each is an error with its line, never ignored.
enum Support {
    static func check(
        _ stage: Stage, _ document: DockerfileDocument, _ scope: GlobalScope,
        _ request: BuildRequest
    ) throws {
        if let word = stage.from.platform {
            let text = try document.expand(word, scope.value).text
            guard let platform = try? Platform(parsing: text),
                platform.normalized == request.platform.normalized
            else {
                throw refusal(
                    "FROM --platform=\(word.text) other than the build's", word.range, document)
            }
        }
        for instruction in stage.instructions { try check(instruction, document) }
    }

    private static func check(_ instruction: Instruction, _ document: DockerfileDocument) throws {
        func refuse(_ what: String, if condition: Bool) throws {
            if condition { throw refusal(what, instruction.keyword.range, document) }
        }
        switch instruction.operation {
        case .run(let run):
            try refuse("RUN --mount", if: !run.mounts.isEmpty)
            try refuse("RUN --security=insecure", if: run.security == .insecure)
            try refuse("RUN --device", if: !run.devices.isEmpty)
            try refuse(
                "a RUN heredoc with an interpreter line",
                if: run.invocation(shell: []).script != nil)
        case .onBuild: try refuse("ONBUILD", if: true)
        default: break
        }
    }

    static func refusal(_ what: String, _ range: SourceRange, _ document: DockerfileDocument)
        -> BuildError
    {
        BuildError(
            .input, "\(what) is not supported yet",
            location: "\(document.source.file):\(range.start.line)",
            excerpt: document.source.excerpt(range),
            hint: "Lichen carries out what it accepts; see \"what is not there yet\" in README.md")
    }
}
