import Dockerfile
import OCI

/// What of the language is not carried out yet: each is an error with its line, never ignored.
enum Support {
    static func check(_ planned: Plan.PlannedStage, _ document: DockerfileDocument) throws {
        for instruction in planned.stage.instructions {
            try check(instruction, document)
        }
    }

    private static func check(_ instruction: Instruction, _ document: DockerfileDocument) throws {
        func refuse(_ what: String, if condition: Bool) throws {
            if condition { throw refusal(what, instruction.keyword.range, document) }
        }
        switch instruction.operation {
        case .run(let run):
            try refuse("RUN --security=insecure", if: run.security == .insecure)
            try refuse("RUN --device", if: !run.devices.isEmpty)
        default: break
        }
    }

    static func refusal(_ what: String, _ range: SourceRange, _ document: DockerfileDocument)
        -> BuildError
    {
        BuildError(
            .input, "\(what) is not supported yet", at: range, in: document,
            hint: "Lichen carries out what it accepts; see \"what is not there yet\" in README.md")
    }
}
