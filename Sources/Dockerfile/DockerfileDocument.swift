/// A Dockerfile, parsed: what it says, where, and nothing about what exists.
public struct DockerfileDocument: Sendable, Equatable {
    public var source: SourceText
    public var directives: [Directive]
    /// Escapes characters and continues lines: `\`, or a backtick.
    public var escape: Unicode.Scalar
    /// Which lint rules the whole file asks for.
    public var check: CheckOptions
    /// ARG instructions above the first FROM. They are in scope in FROM alone.
    public var globalArguments: [Instruction]
    public var stages: [Stage]
    public var warnings: [ParseWarning]

    /// The text after `# syntax=`, where there is one.
    public var syntax: String? { directives.first { $0.name == .syntax }?.value.text }

    /// Every instruction in the order of the file.
    public var instructions: [Instruction] {
        globalArguments + stages.flatMap { [$0.instruction] + $0.instructions }
    }

    /// The error that a problem at `range` is, with the file's name.
    public func error(_ problem: DockerfileError.Problem, at range: SourceRange) -> DockerfileError
    {
        DockerfileError(problem, file: source.file, range: range)
    }

    /// Expands one word, and says where it stands if that fails.
    public func expand(
        _ word: Word, _ lookup: @escaping (String) -> String?
    ) throws(DockerfileError) -> Expansion {
        do throws(ExpansionError) {
            return try Expander(escape: escape).expand(word.text, lookup)
        } catch { throw self.error(.expansion(error), at: word.range) }
    }

    /// The content of a heredoc, expanded unless its marker was quoted.
    public func expand(
        _ heredoc: Heredoc, _ lookup: @escaping (String) -> String?
    ) throws(DockerfileError) -> String {
        guard heredoc.expands else { return heredoc.content }
        do throws(ExpansionError) {
            return try Expander.heredocBody.expand(heredoc.content, lookup).text
        } catch { throw self.error(.expansion(error), at: heredoc.range) }
    }

    /// A mount, its values expanded.
    public func expand(
        _ flag: MountFlag, _ lookup: @escaping (String) -> String?
    ) throws(DockerfileError) -> RunMount {
        let expander = Expander(escape: escape)
        do throws(Fault) {
            return try flag.mount { (value) throws(ExpansionError) in
                try expander.expand(value, lookup).text
            }
        } catch { throw self.error(error.problem, at: error.range ?? flag.word.range) }
    }
}
