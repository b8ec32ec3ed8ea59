import ArgumentParser
import Build
import Dockerfile

struct ParseCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "parse",
        abstract: "Show what a Dockerfile says, instruction by instruction.",
        discussion: """
            Needs no build context and no store. With --json the whole of it, each word with its place; \
            docs/parse.md describes the form.

            Examples:
              lichen parse --json -f Dockerfile.dev
              lichen parse -f - < Dockerfile
            """)

    @OptionGroup var dockerfile: DockerfileOptions

    @Flag(name: .customLong("json"), help: "Print JSON in place of an outline.")
    var isJSON = false

    func run() throws {
        let request = try dockerfile.request(context: .directory("."))
        let isJSON = isJSON
        try Session.run {
            let document = try await DockerfileText.read(request).parse()
            let text = isJSON ? DockerfileJSON.encode(document) : document.outline
            Output.line(isJSON ? text : Sanitizer.clean(text, keepingNewlines: true))
        }
    }
}

extension DockerfileDocument {
    /// For people: each instruction on a line, with the number of its first line; stages set apart.
    var outline: String {
        let width = String(source.lineCount).count
        func line(_ instruction: Instruction, _ indent: String) -> String {
            let number = String(instruction.range.start.line)
            let padding = String(repeating: " ", count: width - number.count)
            let heredocs = instruction.heredocs.map {
                " (\($0.marker): \($0.body.utf8.count) bytes)"
            }
            return "\(padding)\(number)  \(indent)\(instruction.text)\(heredocs.joined())\n"
        }
        var text = globalArguments.map { line($0, "") }.joined()
        for stage in stages {
            if !text.isEmpty { text += "\n" }
            text += line(stage.instruction, "")
            text += stage.instructions.map { line($0, "  ") }.joined()
        }
        return text
    }
}
