import Dockerfile

/// FROM: names of stages, bases and platforms.
extension Linter {
    mutating func checkStageNames() {
        var seen: Set<String> = []
        for stage in document.stages {
            guard let word = stage.from.name, let name = stage.name else { continue }
            if word.text != name {
                report(
                    .stageNameCasing, at: word.range, in: stage.instruction,
                    because: "the stage name \(word.text) has capitals, but case does not count",
                    remedy: "write \(name)")
            }
            if let keyword = stage.from.asKeyword { checkCasing(of: keyword, stage) }
            if name == "context" || name == "scratch" {
                report(
                    .reservedStageName, at: word.range, in: stage.instruction,
                    because: "\(name) already means something else", remedy: "choose another name")
            }
            if !seen.insert(name).inserted {
                report(
                    .duplicateStageName, at: word.range, in: stage.instruction,
                    because: "an earlier stage has the name \(name), too",
                    remedy: "give each stage a name of its own")
            }
        }
    }

    /// A FROM in mixed case is a finding of another rule.
    private mutating func checkCasing(of keyword: Word, _ stage: Stage) {
        let from = stage.instruction.keyword.text
        let isLower = from == from.lowercased()
        guard isLower || from == from.uppercased() else { return }
        let wanted = isLower ? keyword.text.lowercased() : keyword.text.uppercased()
        if keyword.text == wanted { return }
        report(
            .fromAsCasing, at: keyword.range, in: stage.instruction,
            because: "\(keyword.text) is in another case than \(from)", remedy: "write \(wanted)")
    }

    mutating func checkBases() {
        let defaults = try? GlobalScope(document, arguments: [:], predefined: input.predefined)
        for stage in document.stages {
            let base = stage.from.base
            if let expansion = expandGlobally(base, defaults),
                !(expansion.referenced.isEmpty && expansion.unset.isEmpty),
                !input.names.isReference(expansion.text), !isStage(expansion.text, before: stage)
            {
                report(
                    .invalidDefaultArgInFrom, at: base.range, in: stage.instruction,
                    because:
                        "without build arguments, \(base.text) is \"\(expansion.text)\", which names no image",
                    remedy: "give the ARG a default that makes it an image")
            }
            checkArguments(of: base, stage)
            if let platform = stage.from.platform {
                checkArguments(of: platform, stage)
                check(platform: platform, stage)
            }
            checkBaseImage(stage)
        }
    }

    private func isStage(_ name: String, before stage: Stage) -> Bool {
        document.stages[..<stage.index].contains { $0.name == name.lowercased() }
    }

    private mutating func checkArguments(of word: Word, _ stage: Stage) {
        guard let global, let expansion = expandGlobally(word, global) else { return }
        for name in expansion.unset where !global.declared.contains(name) {
            let near = nearest(to: name, among: global.names.sorted())
            report(
                .undefinedArgInFrom, at: word.range, in: stage.instruction,
                because: "no ARG above the first FROM declares \(name)",
                remedy: near.map { "did you mean $\($0)?" }
                    ?? "write ARG \(name)=… above the first FROM")
        }
    }

    private mutating func check(platform word: Word, _ stage: Stage) {
        guard let expansion = expandGlobally(word, global) else { return }
        if expansion.referenced == ["TARGETPLATFORM"], expansion.unset.isEmpty,
            expansion.text == global?.value("TARGETPLATFORM")
        {
            report(
                .redundantTargetPlatform, at: word.range, in: stage.instruction,
                because: "a stage is for \(word.text) anyway", remedy: "leave --platform out")
        }
        guard expansion.referenced.isEmpty, expansion.unset.isEmpty,
            let platform = input.names.platform(expansion.text)
        else { return }
        // A stage that says its platform by its name means it.
        let name = stage.name ?? ""
        if name.contains(platform.os) || name.contains(platform.architecture) { return }
        report(
            .fromPlatformFlagConstDisallowed, at: word.range, in: stage.instruction,
            because: "the stage is always for \(expansion.text), whatever is built",
            remedy: "use $BUILDPLATFORM or $TARGETPLATFORM, or name the stage after its platform")
    }

    /// What a registry gave may be for another machine, where it has no index to choose from.
    private mutating func checkBaseImage(_ stage: Stage) {
        guard let base = input.bases[stage.index] else { return }
        let asked = stage.from.platform.flatMap { expandGlobally($0, global)?.text }
        let wanted = asked ?? global?.value("TARGETPLATFORM")
        guard let wanted = wanted.flatMap(input.names.platform), wanted != base.platform else {
            return
        }
        report(
            .invalidBaseImagePlatform, at: stage.from.base.range, in: stage.instruction,
            because: "the base image is for \(base.platform.os)/\(base.platform.architecture), "
                + "the stage for \(wanted.os)/\(wanted.architecture)",
            remedy: "choose a base for that platform, or say --platform")
    }
}
