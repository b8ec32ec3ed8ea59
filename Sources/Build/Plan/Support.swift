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
            if instruction.kind == .run, !runsHere(planned.platform) {
                throw BuildError(
                    .input,
                    "RUN for \(planned.platform) can't be carried out on \(Platform.host): emulation is not supported yet",
                    at: instruction.keyword.range, in: document,
                    hint:
                        "a stage without RUN can be for any platform; FROM --platform=$BUILDPLATFORM is for this one"
                )
            }
        }
    }

    /// Whether this machine's processor runs such programs as they are.
    private static func runsHere(_ platform: Platform) -> Bool {
        let (host, wanted) = (Platform.host, platform.normalized)
        let architectures =
            host.architecture == "amd64" ? ["amd64", "386"] : [host.architecture]
        return wanted.os == host.os && architectures.contains(wanted.architecture)
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
