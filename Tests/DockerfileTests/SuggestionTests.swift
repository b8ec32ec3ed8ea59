import Testing

@testable import Dockerfile

/// A word that has a slip in it, and what was meant.
private struct Slip: CustomTestStringConvertible, Sendable {
    var testDescription: String
    var dockerfile: String
    var meant: String

    /// The last two letters of `word` change places, or the last one is gone where they are the same.
    static func typo(_ word: String) -> String {
        let (head, tail) = (word.dropLast(2), Array(word.suffix(2)))
        if tail.count < 2 { return word + "x" }
        return tail[0] == tail[1] ? String(word.dropLast()) : head + String([tail[1], tail[0]])
    }
}

/// Every flag, by the instruction that has it; the value fits.
private let flags: [(instruction: String, flags: [String], rest: String)] = [
    ("FROM", ["platform"], "a"),
    ("COPY", ["chown", "from", "chmod", "link", "exclude", "parents"], "a b"),
    ("ADD", ["chown", "chmod", "link", "keep-git-dir", "checksum", "unpack", "exclude"], "a b"),
    ("RUN", ["mount", "network", "security", "device"], "true"),
    ("HEALTHCHECK", ["interval", "timeout", "start-period", "start-interval", "retries"], "CMD x"),
]

private let mountOptions = [
    "type", "from", "source", "target", "destination", "readonly", "readwrite", "sharing",
    "required", "size", "mode",
]

private let slips: [Slip] =
    Instruction.Kind.allCases.map { kind in
        Slip(
            testDescription: kind.rawValue,
            dockerfile: "FROM a\n\(Slip.typo(kind.rawValue)) x\n", meant: kind.rawValue)
    }
    + flags.flatMap { instruction, flags, rest in
        flags.map { flag in
            let first = instruction == "FROM" ? "" : "FROM a\n"
            return Slip(
                testDescription: "\(instruction) --\(flag)",
                dockerfile: "\(first)\(instruction) --\(Slip.typo(flag))=1 \(rest)\n",
                meant: "--\(flag)")
        }
    }
    + mountOptions.map { option in
        Slip(
            testDescription: "--mount=\(option)",
            dockerfile: "FROM a\nRUN --mount=\(Slip.typo(option))=1 true\n", meant: option)
    }
    + RunMount.Kind.allCases.map(\.rawValue).map { kind in
        Slip(
            testDescription: "type=\(kind)",
            dockerfile: "FROM a\nRUN --mount=type=\(Slip.typo(kind)),target=/x true\n", meant: kind)
    }
    + RunMount.Sharing.allCases.map(\.rawValue).map { value in
        Slip(
            testDescription: "sharing=\(value)",
            dockerfile:
                "FROM a\nRUN --mount=type=cache,target=/x,sharing=\(Slip.typo(value)) true\n",
            meant: value)
    }
    + RunInstruction.Network.allCases.map(\.rawValue).map { value in
        Slip(
            testDescription: "--network=\(value)",
            dockerfile: "FROM a\nRUN --network=\(Slip.typo(value)) true\n", meant: value)
    }
    + RunInstruction.Security.allCases.map(\.rawValue).map { value in
        Slip(
            testDescription: "--security=\(value)",
            dockerfile: "FROM a\nRUN --security=\(Slip.typo(value)) true\n", meant: value)
    }
    + ["CMD", "NONE"].map { word in
        Slip(
            testDescription: "HEALTHCHECK \(word)",
            dockerfile: "FROM a\nHEALTHCHECK \(Slip.typo(word)) x\n", meant: word)
    }

@Suite struct `A misspelt word` {
    @Test(arguments: slips) fileprivate func `is refused with what was meant`(slip: Slip) throws {
        let error = try #require(throws: DockerfileError.self) {
            _ = try DockerfileDocument.parse(Array(slip.dockerfile.utf8), file: "Dockerfile")
        }
        let message = "\(error)"
        #expect(message.hasSuffix("did you mean \(slip.meant)?"), "\(message)")
        #expect(error.range.start.line == slip.dockerfile.split(separator: "\n").count)
        let excerpt = error.excerpt(in: Array(slip.dockerfile.utf8))
        #expect(excerpt.contains("^"))
    }

    @Test func `has all flags in the test above`() throws {
        // One that the parser knows and this file doesn't would be suggested for a word near it; a word near none is not.
        for (instruction, flags, rest) in flags {
            for flag in flags {
                let first = instruction == "FROM" ? "" : "FROM a\n"
                let text = "\(first)\(instruction) --\(flag)=zzz \(rest)\n"
                do {
                    _ = try DockerfileDocument.parse(Array(text.utf8), file: "Dockerfile")
                } catch {
                    if case .unknownFlag = error.problem { Issue.record("\(error)") }
                }
            }
        }
    }

    @Test(arguments: [("SIGTREM", "SIGTERM"), ("TREM", "TERM"), ("SIGQIUT", "SIGQUIT")])
    func `of a signal has a suggestion`(word: String, meant: String) {
        #expect(
            "\(DockerfileError.Problem.invalidSignal(word))".hasSuffix("did you mean \(meant)?"))
    }
}
