/// `RUN`, with its flags and heredocs.
public struct RunInstruction: Sendable, Equatable {
    public enum Network: String, Sendable, CaseIterable {
        case `default`, none, host
    }
    public enum Security: String, Sendable, CaseIterable {
        case sandbox, insecure
    }

    public var command: CommandForm
    /// Empty in exec form.
    public var heredocs: [Heredoc]
    public var mounts: [MountFlag] = []
    /// Nil if the flag is not there, which means `default`.
    public var network: Network?
    /// Nil if the flag is not there, which means `sandbox`.
    public var security: Security?
    public var devices: [Device] = []

    /// A device of the container device interface.
    public struct Device: Sendable, Equatable {
        public var name: String
        public var isRequired: Bool
        public var range: SourceRange
    }

    /// What to execute when `shell` is in force.
    ///
    /// A command that is one heredoc and nothing else is its text, for the shell; or, if that begins with
    /// `#!`, a file to execute. Else the shell gets the command and reads the heredocs itself.
    public func invocation(shell: [String]) -> Invocation {
        guard case .shell(let text) = command, let first = heredocs.first else {
            return Invocation(arguments: command.arguments(shell: shell), script: nil)
        }
        if heredocs.count == 1, isOnlyHeredoc(text) {
            let content = first.content
            guard content.hasPrefix("#!") else {
                return Invocation(arguments: shell + [content], script: nil)
            }
            let script = Invocation.Script(name: first.marker, content: content)
            return Invocation(arguments: shell + [script.path], script: script)
        }
        var whole = text.text
        for heredoc in heredocs { whole += "\n" + heredoc.body + heredoc.marker }
        return Invocation(arguments: shell + [whole], script: nil)
    }

    private func isOnlyHeredoc(_ text: Word) -> Bool {
        let heredoc = try? Heredoc.marker(text.text, range: text.range)
        return heredoc.flatMap { $0 } != nil
    }

    public struct Invocation: Sendable, Equatable {
        public var arguments: [String]
        /// A file that must be there while the command runs, read-only and executable.
        public var script: Script?

        public struct Script: Sendable, Equatable {
            public var name: String
            public var content: String
            /// Where the arguments expect it.
            public var path: String { "/dev/pipes/" + name }
        }
    }
}
