import Glibc
import SystemPackage

/// The terminal behind standard error, if it is one.
enum Terminal {
    /// Whether a live display can be drawn there.
    static func isCapable(environment: [String: String]) -> Bool {
        let name = environment["TERM"] ?? ""
        return isatty(STDERR_FILENO) == 1 && !name.isEmpty && name != "dumb"
    }

    /// Whether we may draw: not while a shell has us in the background.
    static var isOurs: Bool {
        let group = tcgetpgrp(STDERR_FILENO)
        // It has no groups where it is not our controlling terminal.
        return group < 0 || group == getpgrp()
    }

    static var isStandardInput: Bool { isatty(STDIN_FILENO) == 1 }
    static var isStandardOutput: Bool { isatty(STDOUT_FILENO) == 1 }

    /// As it is now: asked before each frame, so that no signal is needed when it changes.
    static var size: TerminalSize {
        var window = winsize()
        let answer = ioctl(STDERR_FILENO, UInt(TIOCGWINSZ), &window)
        guard answer == 0, window.ws_row > 0, window.ws_col > 0 else {
            return TerminalSize(rows: 24, columns: 80)
        }
        return TerminalSize(rows: Int(window.ws_row), columns: Int(window.ws_col))
    }
}
