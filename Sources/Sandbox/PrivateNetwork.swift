import Limits
import Linux
import Policy
import SystemPackage

/// The network of one step: its helper below a guard, which ends with this value, with the thread that made it, and with the
/// builder.
final class PrivateNetwork: Sendable {
    private let guardian: Child

    private static let patience = Limit.networkHelper
    private static let mostWords = Limit.networkHelperWords

    /// Returns when the interface of process `pid` is up. That process waits meanwhile, with its id maps written.
    init(of pid: Int32, by helper: NetworkHelper) throws(SandboxError) {
        let operation = "start \(helper.path)"
        let words = try setup(operation) { () throws(Errno) in
            try anonymousFile(ofSize: Self.mostWords)
        }
        let pipe = try setup(operation) { () throws(Errno) in try Pipe() }
        guardian = try setup(operation) { () throws(Errno) in
            try Child.guarded(
                program: helper.path,
                arguments: [helper.kind.rawValue] + helper.arguments(for: pid),
                environment: [], keeping: pipe.writing.borrowed, errors: words.borrowed)
        }
        let ready = pipe.closeWriting()
        let start = try setup(operation) { () throws(Errno) in
            try guardian.awaitStart(ready: ready.borrowed, seconds: Self.patience)
        }
        if start != (helper.isReadyByItsEnd ? .ended(.exited(0)) : .ready) {
            throw Self.error(helper, start, words.borrowed)
        }
    }

    private static func error(
        _ helper: NetworkHelper, _ start: GuardedStart, _ words: FileDescriptor
    ) -> SandboxError {
        let name = helper.kind.rawValue
        let what =
            switch start {
            case .ready: "\(name) went on in the foreground"
            case .ended(let status): "\(name) ended with \(status)"
            case .failed(let report): "\(name): \(report.step): \(report.errno.inWords)"
            case .late: "\(name) was not ready after \(Int(patience)) seconds"
            }
        let said = lastWords(words)
        return SandboxError(
            .host("there is no private network: \(what)" + (said.isEmpty ? "" : " (\(said))")),
            hint: "--network host and --network none do without \(name)")
    }

    /// The last lines that it wrote, as one.
    private static func lastWords(_ file: FileDescriptor) -> String {
        // What can't be read is not said.
        guard (try? file.seekAbsolutely(to: 0)) != nil,
            let bytes = try? file.readAll(limit: mostWords)
        else { return "" }
        // pasta has no system log here, and says so before each line of its own.
        let lines = bytes.prefix { $0 != 0 }.split(separator: 10)
            .filter { !$0.starts(with: "Failed to send".utf8) }.suffix(3)
        return lines.map { printable($0) }.joined(separator: "; ")
    }
}

extension StepSandbox {
    static func network(of step: borrowing Child, by helper: NetworkHelper?) throws(SandboxError)
        -> PrivateNetwork?
    {
        guard let helper else { return nil }
        do throws(SystemError) { try step.awaitSight() } catch { throw SandboxError(.setup(error)) }
        return try PrivateNetwork(of: step.pid, by: helper)
    }

    /// In a network of its own a raw socket would go round what the supervisor and the routes refuse. On the host's, the kernel
    /// gives a RUN none anyway.
    func capabilities(on network: StepCommand.Network) -> CapabilitySet {
        guard network == .private else { return policy.capabilities }
        return ["NET_RAW", "NET_ADMIN"].reduce(policy.capabilities) {
            $0.subtracting(CapabilitySet(named: $1)!)
        }
    }
}
