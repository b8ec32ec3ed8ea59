/// One instruction of a Dockerfile.
public struct Instruction: Sendable, Equatable {
    /// The instruction's word as it was written; `kind` is the same in capitals.
    public var keyword: Word
    public var operation: Operation
    /// From the instruction's word to the end of its last line, heredocs included.
    public var range: SourceRange
    /// The instruction with its continuation lines joined, without comments and heredocs.
    public var text: String
    /// Its lines as written, from the first to the last.
    public var source: String
    /// Comments directly above it.
    public var comments: [Word]

    /// What an instruction does, with its arguments, as it was written.
    ///
    /// BuildKit expands variables in: names and values of ENV and LABEL; defaults of ARG; sources,
    /// destination, owner, mode and checksum of COPY and ADD; WORKDIR, USER, STOPSIGNAL and VOLUME; values
    /// of mounts; and EXPOSE, which is split into words afterwards. In base and platform of FROM it expands
    /// global arguments alone. Nothing else is expanded: what RUN, CMD, ENTRYPOINT and HEALTHCHECK
    /// execute is the shell's, and the triggers of ONBUILD wait.
    public enum Operation: Sendable, Equatable {
        case from(FromInstruction)
        case arg([ArgumentDefinition])
        case env([Assignment])
        case label([Assignment])
        case run(RunInstruction)
        case copy(CopyInstruction)
        case add(AddInstruction)
        case workdir(Word)
        case user(Word)
        case cmd(CommandForm)
        case entrypoint(CommandForm)
        /// In the order of the file; BuildKit sorts them before it expands them.
        case expose([Word])
        case volume([Word])
        case stopSignal(Word)
        case shell([Word])
        case healthcheck(Healthcheck)
        case onBuild(Trigger)
        case maintainer(Word)
    }

    /// Every instruction there is, by the word that begins it.
    public enum Kind: String, Sendable, CaseIterable {
        case add = "ADD"
        case arg = "ARG"
        case cmd = "CMD"
        case copy = "COPY"
        case entrypoint = "ENTRYPOINT"
        case env = "ENV"
        case expose = "EXPOSE"
        case from = "FROM"
        case healthcheck = "HEALTHCHECK"
        case label = "LABEL"
        case maintainer = "MAINTAINER"
        case onBuild = "ONBUILD"
        case run = "RUN"
        case shell = "SHELL"
        case stopSignal = "STOPSIGNAL"
        case user = "USER"
        case volume = "VOLUME"
        case workdir = "WORKDIR"
    }

    public var kind: Kind {
        switch operation {
        case .from: .from
        case .arg: .arg
        case .env: .env
        case .label: .label
        case .run: .run
        case .copy: .copy
        case .add: .add
        case .workdir: .workdir
        case .user: .user
        case .cmd: .cmd
        case .entrypoint: .entrypoint
        case .expose: .expose
        case .volume: .volume
        case .stopSignal: .stopSignal
        case .shell: .shell
        case .healthcheck: .healthcheck
        case .onBuild: .onBuild
        case .maintainer: .maintainer
        }
    }
}

/// `FROM --platform=p base AS name`.
public struct FromInstruction: Sendable, Equatable {
    public var platform: Word?
    /// An image, an earlier stage, or `scratch`; global ARGs are expanded in it.
    public var base: Word
    /// The word `AS` as it was written.
    public var asKeyword: Word?
    /// The stage's name as it was written.
    public var name: Word?
}

/// `ARG name` or `ARG name=default`.
public struct ArgumentDefinition: Sendable, Equatable {
    public var name: Word
    public var defaultValue: Word?
}

/// A pair of ENV or LABEL. Names are expanded, too.
public struct Assignment: Sendable, Equatable {
    public var name: Word
    public var value: Word
    /// Written `ENV name value`, without `=`: allowed, but no longer advised.
    public var isLegacy: Bool
}

/// A command in one of the two forms.
public enum CommandForm: Sendable, Equatable {
    /// Text for the shell in force.
    case shell(Word)
    /// Arguments, given as JSON; no shell and no variables.
    case exec([Word])

    /// The arguments that run it, when `shell` is in force.
    public func arguments(shell: [String]) -> [String] {
        switch self {
        case .shell(let text): shell + [text.text]
        case .exec(let words): words.map(\.text)
        }
    }
}

/// `ONBUILD instruction`.
public struct Trigger: Sendable, Equatable {
    private var box: [Instruction]
    /// What the image's config records, heredocs included; parse it with `parseTrigger`.
    public var expression: String

    init(_ instruction: Instruction, expression: String) {
        box = [instruction]
        self.expression = expression
    }

    public var instruction: Instruction { box[0] }
}
