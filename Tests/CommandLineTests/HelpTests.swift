import ArgumentParser
import FoundationEssentials
import Glibc
import Testing

@testable import lichen

/// The parser's own account of what a command takes.
enum HelpDump {
    private struct Tool: Decodable { var command: Command }
    private struct Command: Decodable { var arguments: [Argument]? }
    private struct Argument: Decodable {
        var kind: String
        var names: [Name]?
    }
    private struct Name: Decodable { var name: String }

    /// For each option and flag, its names without dashes.
    static func optionNames(of command: any ParsableCommand.Type) throws -> [[String]] {
        let data = Data(command._dumpHelp().utf8)
        let arguments = try JSONDecoder().decode(Tool.self, from: data).command.arguments ?? []
        return arguments.filter { $0.kind != "positional" }.map { ($0.names ?? []).map(\.name) }
    }
}

/// Every command that does something.
private let commands: [any ParsableCommand.Type] =
    Lichen.configuration.subcommands.flatMap {
        $0.configuration.subcommands.isEmpty ? [$0] : $0.configuration.subcommands
    }

@Suite struct `The help` {
    @Test(arguments: commands.map { $0.configuration.commandName ?? "" })
    func `of each command has an example`(name: String) throws {
        let command = try #require(commands.first { $0.configuration.commandName == name })
        #expect(command.configuration.discussion.contains("Example"))
        #expect(!command.configuration.abstract.isEmpty)
        let line = name == "check" ? "lichen store check" : "lichen \(name)"
        #expect(command.configuration.discussion.contains(line))
    }

    @Test func `in docs has every option of every command`() throws {
        let page = try #require(Self.read("docs/cli.md"))
        for command in commands {
            for names in try HelpDump.optionNames(of: command) {
                for name in names {
                    let option = name.count == 1 ? "`-\(name)`" : "`--\(name)"
                    #expect(page.contains(option), "docs/cli.md has no \(option)")
                }
            }
        }
    }

    @Test func `is no error`() {
        for words in [["--help"], ["build", "--help"], ["--version"], ["help", "build"]] {
            let error = #expect(throws: (any Error).self) {
                var command = try Lichen.parseAsRoot(words)
                try command.run()
            }
            if let error { #expect(Lichen.exitCode(for: error).isSuccess) }
        }
    }

    private static func read(_ path: String) -> String? {
        let top = #filePath.split(separator: "/").dropLast(3).joined(separator: "/")
        guard let file = fopen("/\(top)/\(path)", "r") else { return nil }
        defer { fclose(file) }
        var bytes = [UInt8](repeating: 0, count: 1 << 20)
        let count = fread(&bytes, 1, bytes.count, file)
        return String(decoding: bytes[..<count], as: UTF8.self)
    }
}
