import Glibc
import Testing

@testable import Dockerfile

/// A small generator, so that a failing seed can be run again.
private struct SplitMix: RandomNumberGenerator {
    var state: UInt64
    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}

/// Pieces that mean something, so that mutations reach beyond the first check.
private let fragments = [
    "\n", "\r\n", "\\\n", "`\n", "# escape=`\n", "# ", "FROM a AS b\n", "RUN ", "COPY ", "ADD ",
    "ENV ", "ARG ",
    "ONBUILD ", "HEALTHCHECK --interval=1h2m3.5s CMD ", "<<EOF", "<<-'EOF'", "\nEOF\n",
    "--mount=type=cache,",
    "--from=", "--chown=$x ", "[\"a\", \"\\u00e9\\ud83d\\ude00\"]", "[", "]", "\"", "'", "${", "}",
    "${a:-", "${a//",
    "${a##*", "$", "\\", "`", "=", " ", "\t", ",", "\u{FEFF}", "\u{0}", "\u{2028}", "é", "가", "**/",
    "!", "[^a-z]", "*", "?",
]

private func mutated(_ seed: [UInt8], _ generator: inout SplitMix) -> [UInt8] {
    var bytes = seed
    for _ in 0..<Int.random(in: 1...12, using: &generator) {
        let index = Int.random(in: 0...bytes.count, using: &generator)
        switch Int.random(in: 0..<5, using: &generator) {
        case 0 where index < bytes.count:
            bytes[index] = UInt8.random(in: 0...255, using: &generator)
        case 1 where index < bytes.count:
            let end = min(bytes.count, index + Int.random(in: 1...20, using: &generator))
            bytes.removeSubrange(index..<end)
        case 2 where index < bytes.count:
            let end = min(bytes.count, index + Int.random(in: 1...40, using: &generator))
            bytes.insert(contentsOf: bytes[index..<end], at: index)
        default:
            let fragment = fragments.randomElement(using: &generator) ?? ""
            bytes.insert(contentsOf: fragment.utf8, at: index)
        }
    }
    return bytes
}

/// Runs everything that reads input of others; errors are fine, traps and hangs are not.
private func exercise(_ bytes: [UInt8]) {
    let text = String(decoding: bytes, as: UTF8.self)
    let values = ["a": "x/y.z", "x": "1000:1000", "b": ""]
    let expander = Expander(escape: bytes.count % 2 == 0 ? "\\" : "`")
    _ = try? expander.expand(String(text.prefix(2_000))) { values[$0] }
    let path = Array(bytes.suffix(60))
    if let ignore = try? IgnoreFile(parsing: Array(bytes.prefix(400)), file: "i") {
        _ = ignore.matches(path)
        _ = ignore.mayInclude(below: path)
    }
    _ = try? GlobPattern(String(text.prefix(100))).matches(path)
    _ = GoDuration.parse(String(text.prefix(40)))
    _ = ExposedPort.parse(String(text.prefix(40)))
    _ = byteCount(String(text.prefix(40)))
    do {
        let document = try DockerfileDocument.parse(bytes, file: "Dockerfile")
        _ = DockerfileJSON.encode(document)
        for instruction in document.instructions {
            _ = document.error(.empty, at: instruction.range).excerpt(in: document.source)
        }
        _ = try StageGraph(document, bases: document.stages.map(\.from.base.text))
    } catch {
        _ = "\(error)" + error.excerpt(in: bytes)
    }
}

private func setting(_ name: String) -> Int? {
    getenv(name).flatMap { Int(String(cString: $0)) }
}

@Suite struct `Input that nobody meant` {
    /// Two seconds of one seed; `FUZZ_SECONDS` and `FUZZ_SEED` say otherwise.
    @Test func `neither traps nor hangs`() throws {
        let seconds = setting("FUZZ_SECONDS") ?? 2
        let seed = setting("FUZZ_SEED") ?? 1
        let folders = [GoldenFolder.golden, .refused]
        let seeds = folders.flatMap { folder in
            folder.cases.compactMap { readFile(folder.path($0, "Dockerfile")) }
        }.filter { $0.count < 20_000 }
        try #require(!seeds.isEmpty)
        var generator = SplitMix(state: UInt64(seed))
        let clock = ContinuousClock()
        let end = clock.now + .seconds(seconds)
        var rounds = 0
        var slowest = Duration.zero
        while clock.now < end {
            let input = mutated(seeds.randomElement(using: &generator) ?? [], &generator)
            slowest = max(slowest, clock.measure { exercise(input) })
            rounds += 1
        }
        #expect(rounds > 100)
        #expect(slowest < .seconds(10))
    }
}
