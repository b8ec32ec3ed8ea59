import ArgumentParser
import Build
import Glibc
import Limits
import Linux
import SystemPackage

/// Asks a person on the terminal.
enum PasswordPrompt {
    static var isPossible: Bool { isatty(STDIN_FILENO) == 1 }

    /// More than any password, and than most tokens.
    private static let maximumBytes = Limit.password

    /// All of standard input, without the line break at its end.
    static func readStandardInput() throws -> String {
        let bytes: [UInt8]
        do throws(Errno) {
            bytes = try FileDescriptor.standardInput.readAll(limit: maximumBytes)
        } catch {
            let words = "the password cannot be read: \(error.inWords)"
            if error == .fileTooLarge { throw ValidationError(words) }
            throw Session.failure(BuildError(.storage, words))
        }
        return try checked(bytes)
    }

    /// One line. The terminal is as it was after, even where a signal ends us.
    static func ask(_ prompt: String, echoing: Bool = false) throws -> String {
        Output.error(prompt)
        var before = termios()
        tcgetattr(STDIN_FILENO, &before)
        var hidden = before
        if !echoing { hidden.c_lflag &= ~tcflag_t(ECHO) }
        // A signal waits until the terminal is right again.
        var signals = sigset_t(), old = sigset_t()
        sigemptyset(&signals)
        for signal in [SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP] { sigaddset(&signals, signal) }
        var line: [UInt8] = []
        while true {
            pthread_sigmask(SIG_BLOCK, &signals, &old)
            tcsetattr(STDIN_FILENO, TCSAFLUSH, &hidden)
            let isDone = readLine(into: &line)
            tcsetattr(STDIN_FILENO, TCSAFLUSH, &before)
            if !echoing || !isDone { Output.error("\n") }
            pthread_sigmask(SIG_SETMASK, &old, nil)
            if isDone { return try checked(line) }
            Output.error(prompt)
        }
    }

    /// False where a signal came first.
    private static func readLine(into line: inout [UInt8]) -> Bool {
        line = []
        while line.count < maximumBytes {
            var pending = sigset_t()
            sigpending(&pending)
            for signal in [SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP]
            where sigismember(&pending, signal) == 1 {
                return false
            }
            var poll = pollfd(fd: STDIN_FILENO, events: Int16(POLLIN), revents: 0)
            if Glibc.poll(&poll, 1, 100) <= 0 { continue }
            var byte: UInt8 = 0
            if read(STDIN_FILENO, &byte, 1) <= 0 || byte == UInt8(ascii: "\n") { return true }
            line.append(byte)
        }
        return true
    }

    private static func checked(_ bytes: [UInt8]) throws -> String {
        var bytes = bytes[...]
        if bytes.last == UInt8(ascii: "\n") { bytes.removeLast() }
        if bytes.last == UInt8(ascii: "\r") { bytes.removeLast() }
        guard let text = String(validating: bytes, as: UTF8.self), !text.isEmpty else {
            throw ValidationError("it must not be empty, and must be text")
        }
        return text
    }
}
