import CShims
import Glibc
public import SystemPackage

/// What became of a program below a guard.
public enum GuardedStart: Equatable, Sendable {
    /// It wrote that it is ready.
    case ready
    case ended(ExitStatus)
    /// It could not be started.
    case failed(ChildReport)
    /// Neither, in the time that it had.
    case late
}

extension Child {
    /// Clones a guard, which starts `program`: process 1 of a PID namespace in this user namespace.
    ///
    /// Whatever the program leaves behind ends with the guard: when its owner lets it go, and when the calling thread ends.
    ///
    /// - Parameters:
    ///   - keeping: becomes descriptor 3 of the program.
    ///   - errors: becomes its standard error. Input and output are /dev/null.
    public static func guarded(
        program: String, arguments: [String], environment: [String], keeping: FileDescriptor,
        errors: FileDescriptor
    ) throws(Errno) -> Child {
        var raw = sbx_child()
        let result = withCStringArrays(arguments, environment) { arguments, environment in
            program.withCString { program in
                var spec = sbx_guard_spec(
                    keep: keeping.rawValue, errors: errors.rawValue, program: program,
                    arguments: arguments, environment: environment)
                return sbx_clone_guard(&spec, &raw)
            }
        }
        _ = try Errno.check(result)
        return Child(raw)
    }

    /// Waits until a guarded program has written a byte to `ready`, or has ended.
    public func awaitStart(ready: FileDescriptor, seconds: Double) throws(Errno) -> GuardedStart {
        let end = monotonicSeconds() + seconds
        var listensToProgram = true
        while true {
            var ends = [
                pollfd(fd: report.raw, events: Int16(POLLIN), revents: 0),
                pollfd(
                    fd: listensToProgram ? ready.rawValue : -1, events: Int16(POLLIN), revents: 0),
            ]
            let rest = max(0, end - monotonicSeconds())
            let count = poll(&ends, 2, Int32(rest * 1000))
            if count < 0 && errno != EINTR { throw Errno(rawValue: errno) }
            if count == 0 { return .late }
            if count > 0, ends[1].revents != 0 {
                var byte: UInt8 = 0
                if read(ready.rawValue, &byte, 1) == 1 { return .ready }
                listensToProgram = false
            }
            if count > 0, ends[0].revents != 0 { return try guardedEnd() }
        }
    }

    private func guardedEnd() throws(Errno) -> GuardedStart {
        guard let report = try nextReport() else { return .ended(.signalled(SIGKILL)) }
        if UInt32(bitPattern: report.step) == SBX_STEP_EXITED.rawValue {
            return .ended(ExitStatus(waitStatus: report.value))
        }
        return .failed(
            ChildReport(
                step: Child.words(forStep: report.step), errno: Errno(rawValue: report.value),
                isExec: UInt32(bitPattern: report.step) == SBX_STEP_EXECVE.rawValue))
    }
}

/// What a program opens to make an interface of a network namespace.
public let tunnelDevice = "/dev/net/tun"

/// Why this user can't open it; nil where it can.
public func tunnelDeviceProblem() -> Errno? {
    let raw = open(tunnelDevice, O_RDWR | O_CLOEXEC)
    if raw < 0 { return Errno(rawValue: errno) }
    close(raw)
    return nil
}
