import Dockerfile
import OCI

/// What of the language is not carried out yet: each is an error with its line, never ignored.
enum Support {
    static func check(
        _ planned: Plan.PlannedStage, _ document: DockerfileDocument,
        allowed: Set<BuildRequest.Allowance>
    ) throws {
        for instruction in planned.stage.instructions {
            try check(instruction, document, allowed)
        }
    }

    private static func check(
        _ instruction: Instruction, _ document: DockerfileDocument,
        _ allowed: Set<BuildRequest.Allowance>
    ) throws {
        guard case .run(let run) = instruction.operation else { return }
        if run.security == .insecure, !allowed.contains(.insecure) {
            throw BuildError(
                .input, "RUN --security=insecure is not allowed", at: instruction.keyword.range,
                in: document,
                hint: "--allow \(BuildRequest.Allowance.insecure.rawValue) allows it to this build")
        }
        if let device = run.devices.first {
            throw BuildError(
                .input, "RUN --device is not supported: a build has no device of this host",
                at: device.range, in: document,
                hint: "a device is given to a container that runs, by its runtime")
        }
    }
}
