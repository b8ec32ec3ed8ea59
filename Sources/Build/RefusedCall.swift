import Linux
import Policy
import Sandbox

/// A system call of a RUN that was refused: once for each call, cause and program.
public struct RefusedCall: Sendable, Codable, Equatable {
    public enum Cause: Sendable, Codable, Equatable {
        /// What of the policy speaks of the call, in words.
        case policy(rule: String)
        /// Ids that the call wanted and the build does not have.
        case missingIDs(uids: [UInt32], gids: [UInt32])
        /// An address of a cloud's metadata service.
        case metadata(address: String, port: UInt16)
    }

    /// Of the Dockerfile.
    public var line: Int
    /// The call and its arguments, those of the first time: `keyctl(0, 0)`.
    public var call: String
    /// As the RUN sees it; foreign bytes are escaped.
    public var executable: String
    public var arguments: [String]
    public var cause: Cause
    public var count: Int

    /// What was refused to whom, and because of what.
    public var description: String {
        let times = count == 1 ? "" : " (\(count) times)"
        let program = arguments.isEmpty ? executable : arguments.joined(separator: " ")
        return switch cause {
        case .policy(let rule): "\(call) of \(program) was refused by the policy\(times): \(rule)"
        case .missingIDs(let uids, let gids):
            "\(call) of \(program) needs \(Self.words(uids, gids)), which this build does not have\(times)"
        case .metadata(let address, let port):
            "\(call) of \(program) to \(address) port \(port), a cloud's metadata service, was refused\(times)"
        }
    }

    private static func words(_ uids: [UInt32], _ gids: [UInt32]) -> String {
        let users = uids.map { "uid \($0)" }
        return (users + gids.map { "gid \($0)" }).joined(separator: " and ")
    }
}

extension RefusedCall {
    init(_ denial: Denial, line: Int) {
        self.init(
            line: line, call: denial.call ?? "call \(denial.number)", denial.arguments,
            denial.caller, .policy(rule: Self.words(denial.reason)), denial.count)
    }

    init(_ missing: MissingID, line: Int) {
        self.init(
            line: line, call: missing.call, missing.arguments, missing.caller,
            .missingIDs(uids: missing.uids, gids: missing.gids), missing.count)
    }

    init(_ refused: RefusedAddress, line: Int) {
        self.init(
            line: line, call: refused.call, refused.arguments, refused.caller,
            .metadata(address: refused.address.description, port: refused.port), refused.count)
    }

    private init(
        line: Int, call: String, _ arguments: [CallArgument], _ caller: Caller, _ cause: Cause,
        _ count: Int
    ) {
        self.line = line
        self.call = "\(call)(\(arguments.map(Self.words).joined(separator: ", ")))"
        executable = printable(caller.executable)
        self.arguments = caller.arguments.map { printable($0) }
        self.cause = cause
        self.count = count
    }

    private static func words(_ argument: CallArgument) -> String {
        switch argument {
        case .number(let number): String(number)
        case .address(0): "NULL"
        case .address(let address): "0x" + String(address, radix: 16)
        case .text(let bytes, let isCut): "\"\(printable(bytes))\"\(isCut ? "…" : "")"
        }
    }

    private static func words(_ reason: Verdict.Reason) -> String {
        switch reason {
        case .rule(let origin):
            "\(origin.place)" + (origin.comment.map { " (\($0))" } ?? "")
        case .defaultAction: "no rule allows it"
        case .unknownCall: "no call of this number is known"
        case .foreignABI: "calls of another architecture are not allowed"
        case .answeredByTracer: "a tracer answered it"
        }
    }
}
