import Dockerfile

/// What the instructions of a stage do, one after another.
extension Linter {
    mutating func checkStages() {
        var finished: [StageFacts] = []
        for stage in document.stages {
            var facts = start(of: stage, finished)
            let isWanted = input.stages?.contains(stage.index) ?? true
            for instruction in stage.instructions {
                if isWanted { check(instruction, facts) }
                follow(instruction, &facts)
            }
            finished.append(facts)
        }
    }

    private func start(of stage: Stage, _ finished: [StageFacts]) -> StageFacts {
        let base = expandGlobally(stage.from.base, global)?.text ?? stage.from.base.text
        let parent = document.stages[..<stage.index].last { $0.name == base.lowercased() }
        if let parent { return StageFacts(on: finished[parent.index]) }
        return StageFacts(base: input.bases[stage.index], isScratch: base == "scratch")
    }

    // MARK: - What is found

    private mutating func check(_ instruction: Instruction, _ facts: StageFacts) {
        checkVariables(instruction, facts)
        switch instruction.operation {
        case .cmd(let command), .entrypoint(let command):
            checkOnlyOne(instruction, facts)
            if case .shell = command, !facts.hasShell {
                let name = instruction.kind.rawValue
                report(
                    .jsonArgsRecommended, at: instruction.range, in: instruction,
                    because: "\(name) starts a shell, which does not pass signals on",
                    remedy:
                        "write \(name) [\"program\", \"argument\"], or choose a SHELL on purpose")
            }
        case .healthcheck: checkOnlyOne(instruction, facts)
        case .env(let pairs):
            checkSeparators(pairs, instruction)
            for pair in pairs { checkSecret(pair.name, instruction) }
        case .label(let pairs): checkSeparators(pairs, instruction)
        case .arg(let definitions):
            for definition in definitions { checkSecret(definition.name, instruction) }
        case .workdir(let word): checkDirectory(word, instruction, facts)
        case .expose(let words):
            for word in words { check(port: word, instruction, facts) }
        case .copy(let copy) where copy.from == nil:
            check(sources: copy.sources, instruction, facts)
        case .add(let add): check(sources: add.sources, instruction, facts)
        default: break
        }
    }

    private mutating func checkOnlyOne(_ instruction: Instruction, _ facts: StageFacts) {
        guard let earlier = facts.last[instruction.kind] else { return }
        let name = instruction.kind.rawValue
        report(
            .multipleInstructionsDisallowed, at: earlier.range, in: earlier, instruction,
            because: "this \(name) has no effect: line \(instruction.range.start.line) has another",
            remedy: "remove one of them")
    }

    private mutating func checkSeparators(_ pairs: [Assignment], _ instruction: Instruction) {
        guard let pair = pairs.first, pair.isLegacy else { return }
        let name = instruction.kind.rawValue
        report(
            .legacyKeyValueFormat, at: instruction.range, in: instruction,
            because: "a blank parts \(pair.name.text) from its value",
            remedy: "write \(name) \(pair.name.text)=value")
    }

    private mutating func checkSecret(_ word: Word, _ instruction: Instruction) {
        let parts = word.text.lowercased().split(separator: "_", omittingEmptySubsequences: false)
        let secret: Set<Substring> = [
            "apikey", "auth", "credential", "credentials", "key", "password", "pword", "passwd",
            "secret", "token",
        ]
        let harmless: Set<Substring> = ["public", "file", "version"]
        guard parts.contains(where: secret.contains), !parts.contains(where: harmless.contains)
        else { return }
        report(
            .secretsUsedInArgOrEnv, at: word.range, in: instruction,
            because:
                "\(word.text) looks like a secret, and \(instruction.kind.rawValue) keeps it in the image",
            remedy: "use RUN --mount=type=secret")
    }

    private mutating func checkDirectory(
        _ word: Word, _ instruction: Instruction, _ facts: StageFacts
    ) {
        guard !facts.hasWorkingDirectory, let path = expand(word, facts)?.text,
            !path.hasPrefix("/")
        else { return }
        report(
            .workdirRelativePath, at: word.range, in: instruction,
            because: "\(word.text) is relative to whatever the base image has",
            remedy: "begin with an absolute WORKDIR")
    }

    private mutating func check(port word: Word, _ instruction: Instruction, _ facts: StageFacts) {
        for text in expand(word, facts)?.words ?? [] {
            let parts = text.split(separator: ":", omittingEmptySubsequences: false)
            guard ExposedPort.parse(text) != nil, let last = parts.last else { continue }
            if last.contains("/"), last != last.lowercased()[...] {
                report(
                    .exposeProtoCasing, at: word.range, in: instruction,
                    because: "the protocol of \(text) has capitals",
                    remedy: "write \(last.lowercased())")
            }
            if parts.dropLast().contains(where: { !$0.isEmpty }) {
                report(
                    .exposeInvalidFormat, at: word.range, in: instruction,
                    because:
                        "\(text) has an address or a port of the host, which EXPOSE can't open",
                    remedy: "write \(last)")
            }
        }
    }

    /// Where a `!` lets something back in, only the walk itself can tell.
    private mutating func check(sources: Sources, _ instruction: Instruction, _ facts: StageFacts) {
        guard let ignored = input.ignored, !ignored.hasExceptions else { return }
        for word in sources.paths {
            guard let text = expand(word, facts)?.text, !Self.isRemote(text) else { continue }
            let path = text.split(separator: "/").filter { $0 != "." }.joined(separator: "/")
            let isLost =
                path.isEmpty ? ignored.ignoresEverything : ignored.matches(Array(path.utf8))
            guard isLost else { continue }
            report(
                .copyIgnoredFile, at: word.range, in: instruction,
                because: "the ignore file keeps \(text) out of the build context",
                remedy: "take it out of the ignore file, or copy something else")
        }
    }

    private static func isRemote(_ source: String) -> Bool {
        ["http://", "https://", "git://", "ssh://", "git@"].contains { source.hasPrefix($0) }
    }

    // MARK: - Variables

    private mutating func checkVariables(_ instruction: Instruction, _ facts: StageFacts) {
        if case .arg(let definitions) = instruction.operation {
            // Each default sees the definitions before it.
            var facts = facts
            for definition in definitions {
                if let word = definition.defaultValue,
                    input.buildArguments[definition.name.text] == nil
                {
                    report(unset: expand(word, facts)?.unset ?? [], word.range, instruction, facts)
                }
                define(definition, &facts)
            }
        }
        for word in instruction.operation.expandedWords {
            report(unset: expand(word, facts)?.unset ?? [], word.range, instruction, facts)
        }
        if instruction.kind == .onBuild || instruction.kind == .run { return }
        for heredoc in instruction.heredocs where heredoc.expands {
            let expansion = try? Expander.heredocBody.expand(heredoc.content) { facts.values[$0] }
            report(unset: expansion?.unset ?? [], heredoc.range, instruction, facts)
        }
    }

    private mutating func report(
        unset names: [String], _ range: SourceRange, _ instruction: Instruction, _ facts: StageFacts
    ) {
        for name in names where !facts.declared.contains(name) {
            let near = nearest(to: name, among: facts.names)
            let place = facts.isBaseUnknown ? "nothing in this file sets" : "nothing sets"
            let otherwise =
                facts.isBaseUnknown
                ? "set it with ENV or ARG, or check that the base image does"
                : "set it with ENV or ARG"
            report(
                .undefinedVar, at: range, in: instruction, because: "\(place) $\(name)",
                remedy: near.map { "did you mean $\($0)?" } ?? otherwise)
        }
    }

    private func expand(_ word: Word, _ facts: StageFacts) -> Expansion? {
        try? document.expand(word) { facts.values[$0] }
    }

    // MARK: - What an instruction leaves behind

    private func follow(_ instruction: Instruction, _ facts: inout StageFacts) {
        switch instruction.operation {
        case .env(let pairs):
            let before = facts
            for pair in pairs {
                let name = expand(pair.name, before)?.text ?? pair.name.text
                facts.values[name] = expand(pair.value, before)?.text ?? ""
            }
        case .arg(let definitions): for definition in definitions { define(definition, &facts) }
        case .shell: facts.hasShell = true
        case .workdir: facts.hasWorkingDirectory = true
        case .cmd, .entrypoint, .healthcheck: facts.last[instruction.kind] = instruction
        default: break
        }
    }

    private func define(_ definition: ArgumentDefinition, _ facts: inout StageFacts) {
        let name = definition.name.text
        facts.declared.insert(name)
        if let given = input.buildArguments[name] {
            facts.values[name] = given
        } else if let word = definition.defaultValue {
            facts.values[name] = expand(word, facts)?.text ?? ""
        } else if let value = global?.value(name) {
            facts.values[name] = value
        }
    }
}
