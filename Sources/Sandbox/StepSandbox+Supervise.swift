import Linux
import SystemPackage

extension StepSandbox {
    /// Takes the step's listener, serves it until the step has ended, and waits for that.
    func supervise(_ child: inout Child) throws(SandboxError) -> (StepOutcome, StepResult) {
        guard let supervised else { preconditionFailure("nothing is wanted of a supervisor") }
        let listener = try setup("take the seccomp listener of the sandbox") { () throws(Errno) in
            try child.awaitListener()
        }
        switch listener {
        case .listening(let descriptor):
            return try serve(descriptor, &child, supervised)
        case .unavailable(let errno):
            let reason = Supervised.reason(errno)
            // The child is killed with its owner; its Landlock domain lets it make no TCP connection.
            if supervision.refusesAddresses, errno != .noSuchProcess {
                throw SandboxError(
                    .host("the connections of a RUN can't be watched: \(reason)"),
                    hint: "--network none needs no watch; --allow metadata does without")
            }
            let outcome = try finish(&child, listener)
            return (
                outcome,
                StepResult(status: outcome.status, supervision: .unavailable(reason: reason))
            )
        case .ended:
            let outcome = try finish(&child, listener)
            return (outcome, StepResult(status: outcome.status, supervision: .done))
        }
    }

    private func serve(
        _ listener: SharedDescriptor, _ child: inout Child, _ supervised: Supervised
    ) throws(SandboxError) -> (StepOutcome, StepResult) {
        let records = StepRecords(supervised)
        let supervisor: Supervisor
        do throws(Errno) {
            supervisor = try Supervisor(
                listener: listener, of: child, supervised.settings, records: records)
        } catch {
            throw SandboxError(.setup(SystemError("start the step's supervisor", error)))
        }
        let outcome: StepOutcome
        do throws(SandboxError) {
            outcome = try finish(&child, .listening(listener))
        } catch {
            // The step is killed with its owner; what the supervisor has to say about it is not the cause.
            try? supervisor.stop()
            throw error
        }
        try setup("serve the seccomp listener of the sandbox") { () throws(Errno) in
            try supervisor.stop()
        }
        return (outcome, records.result(outcome.status))
    }

    /// Lets init go on and waits for the step's end.
    private func finish(_ child: inout Child, _ listener: StepListener) throws(SandboxError)
        -> StepOutcome
    {
        try setup("wait for the sandbox") { () throws(Errno) in
            // Init may have been killed; then there is its end to wait for all the same.
            do throws(Errno) { try child.proceed() } catch  where error != .brokenPipe {
                throw error
            }
            return try child.awaitStep(after: listener)
        }
    }
}
