import Dockerfile
import FoundationEssentials
import TestSupport
import Testing

/// What shows that a flag is not accepted and ignored.
private enum Proof {
    /// A case of the corpus that no longer holds when the flag is taken out of it.
    case corpus(String)
    /// A test function, where one build can't show it.
    case test(file: String, function: String)
}

/// Every flag of every instruction, `COPY --from`; and every option that a type of mount takes, `cache id`.
private let proofs: [String: Proof] = {
    let health = "instructions: every option, and what the config records of it"
    let places = "variables: every instruction that expands"
    let bind = "mounts: every option of a bind in each spelling"
    let cache = "mounts: every option of a cache in each spelling"
    let tmpfs = "mounts: every option of a tmpfs in each spelling"
    let secret = "mounts: every option of a secret in each spelling"
    let agent = "mounts: every option of an agent in each spelling"
    let targets = ["target", "dst", "destination"]
    let access = ["readonly", "ro", "readwrite", "rw"]
    var result: [String: Proof] = [
        "FROM --platform": .corpus("stages: a stage is for what its FROM says"),
        "COPY --chown": .corpus("files: names and numbers, looked up in the image"),
        "COPY --from": .corpus("files: from a stage, a number, a named context, an image"),
        "COPY --chmod": .corpus("files: octal and symbolic modes"),
        "COPY --link": .corpus("files: a link in the way becomes a directory"),
        "COPY --exclude": .corpus("files: what several patterns name is left out"),
        "COPY --parents": .corpus("files: parents are kept, from the dot on"),
        "ADD --chown": .corpus(places),
        "ADD --chmod": .corpus(places),
        "ADD --link": .corpus("files: the same of ADD"),
        "ADD --keep-git-dir": .corpus("files: the repository itself"),
        "ADD --checksum": .corpus("files: a checksum that does not fit"),
        "ADD --unpack": .corpus("files: a tar is unpacked with its owners"),
        "ADD --exclude": .corpus("files: what several patterns name is left out"),
        "RUN --mount": .corpus(
            "run: the context, without what is ignored, and what is written is gone"),
        "RUN --network": .corpus("run: no network but a loopback of its own"),
        "RUN --security": .corpus("run: insecure without leave is refused before anything runs"),
        "RUN --device": .corpus("run: devices are refused, with the reason"),
        "HEALTHCHECK --start-interval": .corpus(
            "instructions: the interval while a container starts"),
        // A mount without a type is a bind: what the option is for is seen where it says something else.
        "bind type": .corpus("run: a type that no mount has, with its nearest"),
        "cache sharing": .test(
            file: "Tests/EndToEndTests/MountTests.swift",
            function:
                "that is locked lets one RUN in at a time, and a private one gives each its own"),
        "secret required": .corpus("run: a secret that is required and not there is an error"),
        "secret ro": .corpus("mounts: a secret is not written to (ro)"),
        "secret readonly": .corpus("mounts: a secret is not written to (readonly)"),
        "ssh required": .corpus("run: an agent that is required and not there is an error"),
        "ssh mode": .corpus("mounts: a mode of an agent's socket is refused"),
        "ssh uid": .corpus("mounts: another owner of an agent's socket is refused"),
        "ssh gid": .corpus("mounts: another group of an agent's socket is refused"),
        "ssh ro": .corpus("mounts: an agent is not written to (ro)"),
        "ssh readonly": .corpus("mounts: an agent is not written to (readonly)"),
    ]
    for flag in ["interval", "timeout", "start-period", "retries"] {
        result["HEALTHCHECK --\(flag)"] = .corpus(health)
    }
    for option in ["from", "source", "src"] + targets + access {
        result["bind \(option)"] = .corpus(bind)
    }
    for option in ["type", "id", "from", "source", "src", "mode", "uid", "gid"] + targets + access {
        result["cache \(option)"] = .corpus(cache)
    }
    for option in ["type", "size"] + targets + access { result["tmpfs \(option)"] = .corpus(tmpfs) }
    for option in ["type", "id", "source", "src", "mode", "uid", "gid", "env"] + targets {
        result["secret \(option)"] = .corpus(secret)
    }
    for option in ["type", "id"] + targets { result["ssh \(option)"] = .corpus(agent) }
    return result
}()

@Suite(.enabled(if: TestHost.allowsSandboxes, "no subordinate ids: a RUN needs them"))
struct `Every flag of an instruction` {
    @Test func `has a proof that it is not ignored`() {
        var flags = Instruction.Kind.allCases.flatMap { kind in
            kind.flags.map { "\(kind.rawValue) --\($0)" }
        }
        for kind in RunMount.Kind.allCases {
            flags += MountFlag.optionNames.filter { takes($0, kind) }.map {
                "\(kind.rawValue) \($0)"
            }
        }
        #expect(flags.count > 70)
        #expect(Set(flags) == Set(proofs.keys))
    }

    /// Whether the parser takes the option for mounts of this type.
    private func takes(_ option: String, _ kind: RunMount.Kind) -> Bool {
        let values = [
            "type": kind.rawValue, "sharing": "locked", "size": "1m", "mode": "0700", "uid": "1",
            "gid": "1",
        ]
        let bare: Set = ["readonly", "ro", "readwrite", "rw", "required"]
        var words = ["type=\(kind.rawValue)"]
        if kind == .secret, !["id", "source", "src"].contains(option) { words.append("id=i") }
        if option != "type" {
            words.append(bare.contains(option) ? option : "\(option)=\(values[option] ?? "/x")")
        }
        let text = "FROM a\nRUN --mount=\(words.joined(separator: ",")) true\n"
        return (try? DockerfileDocument.parse(Array(text.utf8), file: "Dockerfile")) != nil
    }

    @Test(arguments: proofs.keys.sorted())
    func `changes what comes out`(flag: String) async throws {
        switch try #require(proofs[flag]) {
        case .test(let file, let function):
            let text = try Data(contentsOf: URL(filePath: TestHost.sources + "/" + file))
            let source = String(decoding: text, as: UTF8.self)
            let words = source.split(whereSeparator: \.isWhitespace).joined(separator: " ")
            #expect(words.contains("func `\(function)`"))
        case .corpus(let name):
            let item = try #require(WholeCase.all.first { $0.testDescription == name })
            let changed = item.rewritten { line in Self.without(flag, line) }
            #expect(changed.dockerfile != item.dockerfile, "\(name) has no \(flag)")
            let runner = try `The corpus of the language`.runner.get()
            let result = try await aside { try runner.run(changed) }
            #expect(try !result.differences(from: item).isEmpty, "without it all is the same")
        }
    }

    /// The line without the flag, if it is one of that instruction.
    private static func without(_ flag: String, _ line: String) -> String {
        let parts = flag.split(separator: " ").map(String.init)
        let words = line.split(separator: " ", omittingEmptySubsequences: false).map(String.init)
        if parts[1].hasPrefix("--") {
            guard words.first?.uppercased() == parts[0] else { return line }
            return words.filter { $0 != parts[1] && !$0.hasPrefix(parts[1] + "=") }.joined(
                separator: " ")
        }
        return words.map { word in
            guard word.hasPrefix("--mount=") else { return word }
            let options = word.dropFirst("--mount=".count).split(separator: ",").map(String.init)
            let type = options.first { $0.hasPrefix("type=") }?.dropFirst("type=".count) ?? "bind"
            let isMeant = type == parts[0] || (parts[1] == "type" && parts[0] == "bind")
            guard isMeant else { return word }
            let kept = options.filter { $0 != parts[1] && !$0.hasPrefix(parts[1] + "=") }
            // A mount without any option is none.
            return "--mount=" + (kept.isEmpty ? "type=bind" : kept.joined(separator: ","))
        }.joined(separator: " ")
    }
}
