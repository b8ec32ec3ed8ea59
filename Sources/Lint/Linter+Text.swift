import Dockerfile

/// How things are written: letter case, empty lines, comments, instructions that are out of date.
extension Linter {
    mutating func checkText() {
        for warning in document.warnings where warning.kind == .emptyContinuation {
            report(
                .noEmptyContinuation, at: warning.range, in: nil,
                because: "an empty line stands among continuation lines",
                remedy: "remove it, or begin it with #")
        }
        checkInstructionCasing()
        for instruction in document.instructions {
            checkDescription(instruction)
            if instruction.kind == .maintainer {
                report(
                    .maintainerDeprecated, at: instruction.range, in: instruction,
                    because: "MAINTAINER is deprecated",
                    remedy: "write LABEL org.opencontainers.image.authors=… instead")
            }
        }
    }

    /// Most instructions decide, global ARGs not counted; a tie is for capitals.
    private mutating func checkInstructionCasing() {
        let counted = document.stages.flatMap { [$0.instruction] + $0.instructions }
        func isLower(_ word: Word) -> Bool { word.text == word.text.lowercased() }
        func isUpper(_ word: Word) -> Bool { word.text == word.text.uppercased() }
        let lower = counted.count { isLower($0.keyword) }
        let upper = counted.count { isUpper($0.keyword) }
        for instruction in counted {
            let keyword = instruction.keyword
            let isFine = lower > upper ? isLower(keyword) : isUpper(keyword)
            if isFine { continue }
            let wanted = lower > upper ? keyword.text.lowercased() : keyword.text.uppercased()
            report(
                .consistentInstructionCasing, at: keyword.range, in: instruction,
                because: "\(keyword.text) is in another case than most instructions",
                remedy: "write \(wanted)")
        }
    }

    /// The last comment above `FROM … AS name` and `ARG name` describes it, and begins with the name.
    private mutating func checkDescription(_ instruction: Instruction) {
        let names: [String]
        switch instruction.operation {
        case .from(let from): names = from.name.map { [$0.text.lowercased()] } ?? []
        case .arg(let definitions): names = definitions.map(\.name.text)
        default: return
        }
        guard let comment = instruction.comments.last, let first = names.first else { return }
        let word = comment.text.prefix { $0 != " " }
        if names.contains(String(word)) { return }
        let example = names.count > 1 ? "one of \(names.joined(separator: ", "))" : first
        report(
            .invalidDefinitionDescription, at: comment.range, in: instruction,
            because: "the comment does not begin with \(example), which it would describe",
            remedy: "begin it with the name, or put an empty comment below it")
    }
}
