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
        checkCharacters()
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

    /// Characters that turn the direction of text, or show as nothing: a reader sees another line than the build does.
    private mutating func checkCharacters() {
        for number in 1...max(document.source.lineCount, 1) {
            let line = document.source.line(number)
            if line.utf8.allSatisfy({ $0 < 0x80 }) { continue }
            for (index, scalar) in line.unicodeScalars.enumerated() where Self.misleads(scalar) {
                let start = SourcePosition(line: number, column: index + 1)
                let end = SourcePosition(line: number, column: index + 2)
                let code = String(scalar.value, radix: 16, uppercase: true)
                let instruction = document.instructions.first {
                    $0.range.start.line <= number && number <= $0.range.end.line
                }
                report(
                    .misleadingText, at: SourceRange(start, end), in: instruction,
                    because: "U+\(code) is not seen, and changes how the line looks",
                    remedy: "remove it, or write it as an escape of the shell")
            }
        }
    }

    /// Unicode's marks of direction, and what has no width; the joiners that scripts need are none of them.
    private static func misleads(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0x061C, 0x200B, 0x200E, 0x200F, 0x202A...0x202E, 0x2060...0x2064, 0x2066...0x2069,
            0xFEFF:
            true
        default: false
        }
    }
}
