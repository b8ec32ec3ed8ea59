import FoundationEssentials
import TestSupport
import Testing

@testable import Dockerfile

private let fragments = [
    "\n", "\r\n", "\\\n", "`\n", "# escape=`\n", "# check=skip=", "# syntax=", "# ",
    "FROM a AS b\n",
    "RUN ", "COPY ", "ADD ", "ENV ", "ARG ", "LABEL ", "EXPOSE ", "ONBUILD ",
    "HEALTHCHECK --interval=1h2m3.5s CMD ", "<<EOF", "<<-'EOF'", "\nEOF\n",
    "--mount=type=cache,", "--mount=type=secret,id=", "--from=", "--chown=$x ", "--exclude=",
    "[\"a\", \"\\u00e9\\ud83d\\ude00\"]", "[", "]", "{\"a\":[1.5e-3,null]}", "\"", "'", "${", "}",
    "${a:-", "${a//", "${a##*", "${a%%", "${x:?", "$", "\\", "`", "=", " ", "\t", ",", "\u{FEFF}",
    "\u{0}", "\u{2028}", "é", "가", "**/", "!", "[^a-z]", "[a-", "*", "?", "..", "/./", "//",
]

private struct Broken: Error, CustomStringConvertible { var description: String }

private func require(_ condition: Bool, _ what: @autoclosure () -> String) throws {
    if !condition { throw Broken(description: what()) }
}

/// Dockerfiles that are right, and some that are wrong.
private let seeds: [[UInt8]] = [GoldenFolder.golden, .refused].flatMap { folder in
    folder.cases.compactMap { readFile(folder.path($0, "Dockerfile")) }
}.filter { $0.count < 20_000 }

@Suite struct `Input that nobody meant` {
    private func check(_ outcome: Fuzzing.Outcome) {
        #expect(outcome.rounds > 100)
        let text = String(decoding: outcome.slowestInput, as: UTF8.self)
        #expect(outcome.slowest < .seconds(60), "\(text.debugDescription)")
    }

    @Test func `is no Dockerfile, or one whose words stand where they say`() throws {
        try #require(!seeds.isEmpty)
        check(
            try Fuzzing(seeds: seeds, fragments: fragments).run { bytes in
                let document: DockerfileDocument
                do throws(DockerfileError) {
                    document = try DockerfileDocument.parse(bytes, file: "Dockerfile")
                } catch { return try Self.inspect(error, bytes) }
                try Self.inspect(document)
            })
    }

    private static func inspect(_ error: DockerfileError, _ bytes: [UInt8]) throws {
        _ = "\(error)" + error.excerpt(in: bytes)
        let lines = bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
        try require(
            (1...lines.count + 1).contains(error.range.start.line),
            "the error stands nowhere: \(error)")
    }

    /// What is true of everything that was parsed.
    private static func inspect(_ document: DockerfileDocument) throws {
        var last = SourcePosition(line: 1, column: 1)
        for instruction in document.instructions {
            let range = instruction.range
            try require(range.start >= last && range.end >= range.start, "\(range)")
            try require(range.end.line <= max(document.source.lineCount, 1), "\(range)")
            last = range.start
            _ = document.source.excerpt(range)
            for heredoc in instruction.heredocs { _ = try? document.expand(heredoc) { _ in "x" } }
            guard case .onBuild(let trigger) = instruction.operation else { continue }
            // What is recorded must mean the same to who reads it. Another escape character is not on record.
            guard document.escape == "\\" else { continue }
            let parsed = try? DockerfileDocument.parseTrigger(
                trigger.expression, file: "t", at: range)
            try require(
                parsed.map { $0.kind == trigger.instruction.kind } ?? true,
                "a trigger means something else on record: \(trigger.expression)")
        }
        let json = DockerfileJSON.encode(document)
        let value = try JSONDecoder().decode(Shape.self, from: Data(json.utf8))
        try require(value.stages.count == document.stages.count, "stages are missing in the JSON")
        _ = try? StageGraph(document, bases: document.stages.map(\.from.base.text))
    }

    /// Enough of the JSON form to know that it is one.
    private struct Shape: Decodable {
        struct Stage: Decodable { var index: Int }
        var stages: [Stage]
    }

    @Test func `is a word that expands to one thing, or to an error`() throws {
        let words = [
            "${a:-${b:+x}}", "'a b' \"$x\"", "${x%%:*}", "${a//\\//-}", "\\$x", "${a##*/}$b",
            "${b:?not set}", "a<<EOF", "${a/x/y}",
        ].map { Array($0.utf8) }
        let values = ["a": "x/y.z", "x": "1000:1000", "b": ""]
        check(
            try Fuzzing(seeds: words, fragments: fragments).run { bytes in
                let word = String(String(decoding: bytes, as: UTF8.self).prefix(2_000))
                for escape: Unicode.Scalar in ["\\", "`"] {
                    let expander = Expander(escape: escape)
                    guard let expansion = try? expander.expand(word, { values[$0] }) else {
                        continue
                    }
                    let again = try? expander.expand(word, { values[$0] })
                    try require(expansion == again, "two expansions differ")
                    try require(
                        Set(expansion.referenced).isDisjoint(with: expansion.unset),
                        "\(expansion) is set and unset")
                    try require(
                        expander.mayChange(word) || expansion.text == word, "it changed after all")
                }
            })
    }

    @Test func `is an ignore file whose shortcuts agree with its patterns`() throws {
        let files = [
            "*.o\n!keep.o\n", "**/node_modules\n", "/a/b\nc/\n", "# no\n*\n!src\nsrc/*.tmp\n",
            "[a-c]*\n!a?\n", "a/**/b\n", "./x/../y\n",
        ].map { Array($0.utf8) }
        let paths = [
            "a", "a/b", "a/b/c", "src", "src/x.tmp", "src/d/x", "keep.o", "node_modules/x/y", "y",
        ]
        check(
            try Fuzzing(seeds: files, fragments: fragments).run { bytes in
                guard let ignore = try? IgnoreFile(parsing: Array(bytes.prefix(400)), file: "i")
                else { return }
                for path in paths + [String(decoding: bytes.suffix(30), as: UTF8.self)] {
                    let isOut = ignore.matches(Array(path.utf8))
                    try require(
                        !isOut || !ignore.isEmpty,
                        "\(path) is ignored by a file that ignores nothing")
                    try require(
                        isOut || !ignore.ignoresEverything || path.allSatisfy { "/.".contains($0) },
                        "\(path) is let in by a file that ignores everything")
                    let parts = path.split(separator: "/")
                    for count in 0..<parts.count where !isOut {
                        let directory = parts.prefix(count).joined(separator: "/")
                        try require(
                            ignore.mayInclude(below: Array(directory.utf8)) || path.contains("//")
                                || path.contains("."),
                            "\(path) is let in, but a walk would not enter \(directory)")
                    }
                }
            })
    }

    @Test func `is a JSON form where Go and Foundation agree that it is one`() throws {
        let forms = [
            #"["a", "b c"]"#, #"["\u00e9\ud83d\ude00", "\\n"]"#, #"[ "a" ,"b" ]"#,
            #"["a", 1, null, {"b": [true]}]"#, "[]",
        ].map { Array($0.utf8) }
        let pieces = fragments.filter { !$0.contains("\n") && !$0.contains("\r") }
        check(
            try Fuzzing(seeds: forms, fragments: pieces).run { bytes in
                guard bytes.count < 4_000, let text = String(validating: bytes, as: UTF8.self),
                    !text.unicodeScalars.contains(where: { $0.value < 0x20 || $0 == "\\" })
                else { return }
                var line = LogicalLine()
                line.append(text.unicodeScalars, at: SourcePosition(line: 1, column: 1))
                guard case .strings(let words) = JSONForm(line.whole) else { return }
                // White space around an argument is no part of it.
                let data = Data(line.whole.trimmed.text.utf8)
                let decoded = try JSONDecoder().decode([String].self, from: data)
                try require(decoded == words.map(\.text), "\(words) is not \(decoded)")
            })
    }

    @Test func `is a small value, or none`() throws {
        let values = [
            "1h2m3.5s", "80-90/udp", "127.0.0.1:80:80/tcp", "10m", "[::1]:1:2", "**/a[!b]?",
            "skip=A,B;error=true", "3<<-'EOF'",
        ].map { Array($0.utf8) }
        check(
            try Fuzzing(seeds: values, fragments: fragments, seconds: 1).run { bytes in
                let text = String(String(decoding: bytes, as: UTF8.self).prefix(100))
                _ = GoDuration.parse(text)
                _ = ExposedPort.parse(text)
                _ = byteCount(text)
                _ = CheckOptions(text)
                _ = StopSignal.isValid(text)
                _ = commaSeparated(text)
                _ = nearest(to: text, among: ["RUN", "COPY", text])
                _ = try? DockerfileDocument.parseTrigger(text, file: "base")
            })
    }
}
