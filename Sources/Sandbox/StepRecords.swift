import Linux
import Policy
import Synchronization
import SystemPackage

/// What the supervisor of one step puts on record.
///
/// A call that is on record already costs no allocation of ours: the program's path is read into a buffer and compared there.
final class StepRecords: SupervisorRecords {
    /// How many entries each list takes; a RUN can make up as many different ones as it likes.
    static let mostEntries = 256
    /// The most that is read of one text of a caller's memory.
    static let longestText = 1024

    private struct State {
        var denials: [Denial] = []
        var missing: [MissingID] = []
        var refused: [RefusedAddress] = []
        var unrecorded = 0
        var program = [CChar](repeating: 0, count: 4096)
    }

    private let supervised: Supervised
    private let state = Mutex(State())

    init(_ supervised: Supervised) { self.supervised = supervised }

    /// Everything so far.
    func result(_ status: ExitStatus) -> StepResult {
        state.withLock {
            StepResult(
                status: status, supervision: .done, denials: $0.denials, missingIDs: $0.missing,
                refusedAddresses: $0.refused, unrecorded: $0.unrecorded)
        }
    }

    // MARK: - Denials

    func isDenied(_ call: NotifiedCall, by caller: CallerMemory) -> Bool {
        let quick = supervised.verdict(on: call)
        if quick.isWatched { return false }
        let verdict = quick.verdict
        state.withLock { state in
            let length = state.program.withUnsafeMutableBufferPointer { caller.program(into: $0) }
            let known = state.denials.firstIndex { denial in
                denial.number == call.number && denial.reason == verdict.reason
                    && Self.isSame(denial.caller, state.program, length)
            }
            if let known {
                state.denials[known].count += 1
                return
            }
            let denial = Denial(
                call: verdict.call, number: call.number,
                arguments: Self.decoded(call, verdict.call, caller),
                caller: Self.caller(caller, state.program, length), reason: verdict.reason, count: 1
            )
            // What was read is of whoever has its number now.
            if !caller.waits { return }
            if state.denials.count < Self.mostEntries {
                state.denials.append(denial)
            } else {
                state.unrecorded += 1
            }
        }
        return true
    }

    // MARK: - Missing ids

    func miss(_ call: NotifiedCall, by caller: CallerMemory, uids: [UInt32], gids: [UInt32]) {
        let name = supervised.program.name(of: call.number) ?? "call \(call.number)"
        state.withLock { state in
            let length = state.program.withUnsafeMutableBufferPointer { caller.program(into: $0) }
            let known = state.missing.firstIndex { missing in
                missing.call == name && missing.uids == uids && missing.gids == gids
                    && Self.isSame(missing.caller, state.program, length)
            }
            if let known {
                state.missing[known].count += 1
                return
            }
            let missing = MissingID(
                call: name, arguments: Self.decoded(call, name, caller), uids: uids, gids: gids,
                caller: Self.caller(caller, state.program, length), count: 1)
            if !caller.waits { return }
            if state.missing.count < Self.mostEntries {
                state.missing.append(missing)
            } else {
                state.unrecorded += 1
            }
        }
    }

    // MARK: - Addresses

    func refuse(
        _ call: NotifiedCall, by caller: CallerMemory, reaching address: IPAddress, port: UInt16
    ) {
        let name = supervised.program.name(of: call.number) ?? "call \(call.number)"
        state.withLock { state in
            let length = state.program.withUnsafeMutableBufferPointer { caller.program(into: $0) }
            let known = state.refused.firstIndex { refused in
                refused.call == name && refused.address == address && refused.port == port
                    && Self.isSame(refused.caller, state.program, length)
            }
            if let known {
                state.refused[known].count += 1
                return
            }
            let refused = RefusedAddress(
                call: name, arguments: Self.decoded(call, name, caller), address: address,
                port: port, caller: Self.caller(caller, state.program, length), count: 1)
            if !caller.waits { return }
            if state.refused.count < Self.mostEntries {
                state.refused.append(refused)
            } else {
                state.unrecorded += 1
            }
        }
    }

    // MARK: - Decoding

    private static func isSame(_ caller: Caller, _ program: [CChar], _ length: Int) -> Bool {
        caller.executable.count == length
            && caller.executable.indices.allSatisfy {
                caller.executable[$0] == UInt8(bitPattern: program[$0])
            }
    }

    private static func caller(_ memory: CallerMemory, _ program: [CChar], _ length: Int) -> Caller
    {
        Caller(
            executable: program.prefix(length).map { UInt8(bitPattern: $0) },
            arguments: memory.words())
    }

    /// An `int` may be a descriptor, an id or flags: near zero it is negative (AT_FDCWD, "no change"), else it isn't.
    private static func signed(_ value: UInt32) -> Int64 {
        value > UInt32.max - 4096 ? Int64(Int32(bitPattern: value)) : Int64(value)
    }

    /// The arguments as the kernel reads them; of a call that is not in our table, all six registers.
    private static func decoded(_ call: NotifiedCall, _ name: String?, _ memory: CallerMemory)
        -> [CallArgument]
    {
        let kinds =
            name.flatMap { ArgumentKind.arguments(of: $0) }
            ?? Array(repeating: .number(bits: 64), count: call.arguments.count)
        return zip(kinds, call.arguments).map { kind, value in
            switch kind {
            case .number(16): .number(Int64(UInt16(truncatingIfNeeded: value)))
            case .number(32): .number(signed(UInt32(truncatingIfNeeded: value)))
            case .number: .number(Int64(bitPattern: value))
            case .address: .address(value)
            case .text:
                value == 0
                    ? .address(0)
                    : memory.text(at: value, limit: longestText).map {
                        .text($0.bytes, isCut: $0.isCut)
                    } ?? .address(value)
            }
        }
    }
}
