import FoundationEssentials
import Glibc
import Synchronization
import TestSupport

/// One call that goes wrong in one process of Lichen's.
struct Fault: Sendable, CustomStringConvertible {
    enum Role: String, CaseIterable { case builder, worker, unpacker, step }
    /// Calls that can fail for the same reason at the same place; Fixtures/faults.c knows which.
    enum Kind: String, CaseIterable {
        case read, write, create, sync, rename, mkdir, node, symlink, link, remove, length, owner,
            mode, times, attribute, close
    }
    enum Manner: String { case once, onwards, short }

    var role: Role
    var kind: Kind
    /// Counted from 1; with 0 nothing fails.
    var nth: Int
    var error = ENOSPC
    var manner = Manner.once

    static let none = Fault(role: .builder, kind: .write, nth: 0)

    var description: String {
        "\(role) \(kind) \(nth) \(error == ENOSPC ? "ENOSPC" : "EIO") \(manner)"
    }
    fileprivate var words: [String] {
        [role.rawValue, kind.rawValue, "\(nth)", "\(error)", manner.rawValue]
    }
}

/// What a program did under a fault.
struct FaultReport: Sendable {
    struct Descriptors: Sendable { var most = 0, last = 0 }

    /// Processes alive after its end.
    var left = 0
    /// Calls that failed, and what the first of them was about.
    var hits = 0
    var place = ""
    var calls: [Fault.Role: [Fault.Kind: Int]] = [:]
    /// Open at once, and at the end.
    var descriptors: [Fault.Role: Descriptors] = [:]

    /// - Parameter text: as Fixtures/faulty.c writes it.
    fileprivate init(_ text: String) {
        for line in text.split(separator: "\n") {
            let words = line.split(separator: " ").map(String.init)
            let numbers = words.compactMap { Int($0) }
            let role = words.count > 1 ? Fault.Role(rawValue: words[1]) : nil
            switch (words[0], role) {
            case ("left", _): left = numbers[0]
            case ("hits", _): hits = numbers[0]
            case ("place", _): place = words.dropFirst().joined(separator: " ")
            case ("calls", let role?):
                calls[role, default: [:]][Fault.Kind(rawValue: words[2])!] = numbers[0]
            case ("descriptors", let role?):
                descriptors[role] = Descriptors(most: numbers[0], last: numbers[1])
            default: break
            }
        }
    }

    /// Faults at `count` calls of each kind: the first, the last and some in between; with one, anywhere.
    func faults(_ count: Int, seed: UInt64) -> [Fault] {
        var random = Instants(seed: seed)
        var faults: [Fault] = []
        for role in Fault.Role.allCases {
            for kind in Fault.Kind.allCases {
                guard let calls = calls[role]?[kind] else { continue }
                var places: Set<Int> = count > 1 ? [1, calls] : [random.below(calls) + 1]
                while places.count < min(count, calls) { places.insert(random.below(calls) + 1) }
                for place in places.sorted() {
                    // A disk that is full can still be read.
                    let isFull = kind != .read && random.below(2) == 0
                    faults.append(
                        Fault(role: role, kind: kind, nth: place, error: isFull ? ENOSPC : EIO))
                }
            }
        }
        return faults
    }
}

/// A copy of the program whose calls go through Fixtures/faults.c, with a home and a store of its own.
final class FaultyProgram: Sendable {
    /// The same home and store, without faults.
    let lichen: LichenProgram
    private let directory: TemporaryDirectory

    init() throws {
        lichen = try LichenProgram()
        directory = try TemporaryDirectory()
        // It finds what it is to do beside itself.
        let program = try Self.made().path("lichen")
        guard Glibc.link(program, directory.path("lichen")) == 0 else {
            throw TestSupportError("link \(program): error \(errno)")
        }
    }

    /// `lichen ARGUMENTS` under a fault.
    func run(
        _ arguments: [String], _ fault: Fault, _ environment: [String: String] = [:],
        input: String? = nil
    ) throws -> (outcome: Command.Outcome, report: FaultReport) {
        var command = lichen.command(arguments, environment)
        let driver = try Self.made().path("faulty")
        command.arguments = [driver, directory.path] + fault.words + arguments
        command.input = input
        let outcome = try command.run()
        let report = String(decoding: try directory.read("report"), as: UTF8.self)
        return (outcome, FaultReport(report))
    }

    private static let shared = Mutex<TemporaryDirectory?>(nil)

    private static func made() throws -> TemporaryDirectory {
        try shared.withLock { shared in
            if let shared { return shared }
            let directory = try TemporaryDirectory()
            let gcc = ["gcc", "-O1", "-Wall", "-Wextra", "-Werror"]
            let library = directory.path("libfaults.so")
            let commands = [
                gcc + ["-o", directory.path("faulty"), TestHost.fixture("faulty.c")],
                gcc + ["-shared", "-fPIC", "-o", library, TestHost.fixture("faults.c")],
                ["cp", "-L", LichenProgram.binary, directory.path("lichen")],
                ["patchelf", "--add-needed", library, directory.path("lichen")],
            ]
            for command in commands { try Command(command).run().required() }
            shared = directory
            return directory
        }
    }
}
