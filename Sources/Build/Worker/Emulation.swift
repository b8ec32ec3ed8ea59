import Dockerfile
import Glibc
import Linux
import OCI

/// How RUNs for other machines are carried out: by what the kernel has registered, or by emulators that the worker registers in
/// its own user namespace.
struct Emulation: Sendable {
    /// What the worker registers; empty where there is no need.
    let emulators: [Emulator]

    /// What this host offers.
    struct Offer: Sendable {
        var registered: [ProgramFormat]
        var installed: @Sendable (Machine) -> Emulator?
        /// Why a namespace can't have emulators of its own; nil where it can.
        var obstacle: @Sendable () -> String?

        static var ofHost: Offer {
            let searchPath = getenv("PATH").map { String(cString: $0) } ?? ""
            return Offer(
                registered: ProgramFormat.registered(),
                installed: { Emulator.installed(for: $0, searchPath: searchPath) },
                obstacle: {
                    switch KernelProbe.binfmt.ask(limitMilliseconds: 2000) {
                    case .worked: nil
                    case .refused(let error): error.description
                    case .unanswered(let words): words
                    }
                })
        }
    }

    /// A RUN for another machine.
    private struct Demand {
        var instruction: Instruction
        var platform: Platform
        var machine: Machine
    }

    /// Sees that each RUN of the plans can be carried out here, before anything runs.
    ///
    /// - Throws: `BuildError` with the place of the first RUN that can't be.
    init(
        for plans: [Plan], _ document: DockerfileDocument, offer: @autoclosure () -> Offer = .ofHost
    ) throws(BuildError) {
        var demands: [Demand] = []
        for plan in plans {
            for demand in try Self.demands(of: plan, document)
            where !demands.contains(where: { $0.machine == demand.machine }) {
                demands.append(demand)
            }
        }
        if demands.isEmpty {
            emulators = []
        } else {
            emulators = try Self.emulators(for: demands, offer(), document)
        }
    }

    /// The first RUN for each other machine.
    private static func demands(
        of plan: Plan, _ document: DockerfileDocument
    ) throws(BuildError) -> [Demand] {
        var demands: [Demand] = []
        for (_, planned) in plan.stages.sorted(by: { $0.key < $1.key }) {
            let platform = planned.platform.normalized
            if platform.runsHere { continue }
            guard let run = planned.stage.instructions.first(where: { $0.kind == .run }) else {
                continue
            }
            guard platform.os == Platform.host.os,
                let machine = Machine(architecture: platform.architecture)
            else {
                throw BuildError(
                    .input, "RUN for \(platform) can't be carried out on \(Platform.host)",
                    at: run.keyword.range, in: document, hint: Self.nativeHint)
            }
            demands.append(Demand(instruction: run, platform: platform, machine: machine))
        }
        return demands
    }

    /// The kernel's own entries where they do for all; a namespace that has its own sees those no more.
    private static func emulators(
        for demands: [Demand], _ offer: Offer, _ document: DockerfileDocument
    ) throws(BuildError) -> [Emulator] {
        let served = demands.map { demand in
            offer.registered.first { $0.serves(demand.machine) }
        }
        if served.allSatisfy({ $0 != nil }) { return [] }
        var emulators: [Emulator] = []
        for (demand, entry) in zip(demands, served) {
            let registered = entry.map {
                Emulator(architecture: demand.machine.architecture, path: $0.interpreter)
            }
            guard let emulator = offer.installed(demand.machine) ?? registered else {
                throw missing(demand, document)
            }
            emulators.append(emulator)
        }
        if let obstacle = offer.obstacle() {
            let index = served.firstIndex { $0 == nil }!
            throw refused(demands[index], emulators[index], obstacle, document)
        }
        return emulators
    }

    private static let nativeHint =
        "a stage without RUN can be for any platform; FROM --platform=$BUILDPLATFORM is for this one"

    private static func missing(_ demand: Demand, _ document: DockerfileDocument) -> BuildError {
        BuildError(
            .host,
            "RUN for \(demand.platform) needs qemu-\(demand.machine.name)-static, which is not installed",
            at: demand.instruction.keyword.range, in: document,
            hint: "an administrator runs: apt-get install qemu-user-static; \(nativeHint)")
    }

    private static func refused(
        _ demand: Demand, _ emulator: Emulator, _ reason: String, _ document: DockerfileDocument
    ) -> BuildError {
        BuildError(
            .host,
            "RUN for \(demand.platform) needs an emulator, and this kernel lets no user register one (\(reason))",
            at: demand.instruction.keyword.range, in: document,
            hint:
                "Linux 6.7 with binfmt_misc does; on older ones an administrator registers \(emulator.path) for all, "
                + "as Debian's qemu-user-static does with binfmt-support")
    }
}

extension Platform {
    /// Whether its programs run on this machine as they are.
    var runsHere: Bool {
        os == Platform.host.os && architecture == Platform.host.architecture
    }
}
