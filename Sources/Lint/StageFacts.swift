import Dockerfile

/// What is known of a stage at one of its instructions.
struct StageFacts {
    /// The values of ENV and ARG.
    var values: [String: String] = [:]
    /// ARGs without a value: known, but not set.
    var declared: Set<String> = []
    var hasShell = false
    var hasWorkingDirectory = false
    /// What the base image sets is not known.
    var isBaseUnknown = false
    /// Where CMD, ENTRYPOINT and HEALTHCHECK stood last in this stage.
    var last: [Instruction.Kind: Instruction] = [:]

    var names: [String] { Array(declared.union(values.keys)).sorted() }

    /// A stage on an image, on nothing, or on what is not known.
    init(base: LintBase?, isScratch: Bool) {
        values = base?.environment ?? [:]
        // Every container has one. Dockerfile reference, "Environment replacement".
        if values["PATH"] == nil {
            values["PATH"] = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
        }
        hasShell = base?.hasShell ?? false
        isBaseUnknown = base == nil && !isScratch
    }

    /// A stage on another one: its ARGs come along, too.
    init(on stage: StageFacts) {
        self = stage
        last = [:]
    }
}

extension Instruction.Operation {
    /// Words in which the stage's variables are replaced; defaults of ARG and ports are not among them.
    var expandedWords: [Word] {
        switch self {
        case .env(let pairs), .label(let pairs): pairs.flatMap { [$0.name, $0.value] }
        case .copy(let copy):
            copy.sources.paths + [copy.sources.destination]
                + [copy.owner, copy.mode].compactMap { $0 }
        case .add(let add):
            add.sources.paths + [add.sources.destination]
                + [add.owner, add.mode, add.checksum].compactMap { $0 }
        case .workdir(let word), .user(let word), .stopSignal(let word): [word]
        case .volume(let words): words
        case .run(let run):
            run.mounts.flatMap(\.options).compactMap { option in
                option.value.map { Word($0, range: option.range) }
            }
        default: []
        }
    }
}
