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

    func isDenied(_ call: NotifiedCall, by memory: CallerMemory) -> Bool {
        let quick = supervised.verdict(on: call)
        if quick.isWatched { return false }
        let verdict = quick.verdict
        note(
            memory, in: \.denials,
            where: { $0.number == call.number && $0.reason == verdict.reason }
        ) { caller in
            Denial(
                call: verdict.call, number: call.number,
                arguments: Self.decoded(call, verdict.call, memory), caller: caller,
                reason: verdict.reason, count: 1)
        }
        return true
    }

    // MARK: - Missing ids

    func miss(_ call: NotifiedCall, by memory: CallerMemory, uids: [UInt32], gids: [UInt32]) {
        let name = supervised.program.name(of: call.number) ?? "call \(call.number)"
        note(
            memory, in: \.missing,
            where: { $0.call == name && $0.uids == uids && $0.gids == gids }
        ) { caller in
            MissingID(
                call: name, arguments: Self.decoded(call, name, memory), uids: uids, gids: gids,
                caller: caller, count: 1)
        }
    }

    // MARK: - Addresses

    func refuse(
        _ call: NotifiedCall, by memory: CallerMemory, reaching address: IPAddress, port: UInt16
    ) {
        let name = supervised.program.name(of: call.number) ?? "call \(call.number)"
        note(
            memory, in: \.refused,
            where: { $0.call == name && $0.address == address && $0.port == port }
        ) { caller in
            RefusedAddress(
                call: name, arguments: Self.decoded(call, name, memory), address: address,
                port: port, caller: caller, count: 1)
        }
    }

    // MARK: - Counting

    /// Counts a call that is on record for this caller, or puts a new one on record.
    ///
    /// - Parameter make: reads more of the caller's memory; only where the call is new.
    private func note<Entry: CountedCall>(
        _ memory: CallerMemory, in list: WritableKeyPath<State, [Entry]>,
        where isSameCall: (Entry) -> Bool, _ make: (Caller) -> Entry
    ) {
        state.withLock { state in
            let length = state.program.withUnsafeMutableBufferPointer { memory.program(into: $0) }
            let known = state[keyPath: list].firstIndex {
                isSameCall($0) && Self.isSame($0.caller, state.program, length)
            }
            if let known {
                state[keyPath: list][known].count += 1
                return
            }
            let entry = make(Self.caller(memory, state.program, length))
            // What was read is of whoever has its number now.
            if !memory.waits { return }
            if state[keyPath: list].count < Self.mostEntries {
                state[keyPath: list].append(entry)
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

/// What one list of the records holds: a call of a program, and how often it came.
private protocol CountedCall {
    var caller: Caller { get }
    var count: Int { get set }
}

extension Denial: CountedCall {}
extension MissingID: CountedCall {}
extension RefusedAddress: CountedCall {}
