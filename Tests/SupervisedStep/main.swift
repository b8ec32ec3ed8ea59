// Runs a command in a sandbox under a supervisor, for the tests of that: SupervisedStep DIRECTORY [OPTION...] -- COMMAND...
//
// DIRECTORY holds `tree`, the root file system. Runs as root of a user and a mount namespace. The command writes to our own
// standard output and error; after its end, lines `result NAME VALUE` follow on standard output.
//
//   --denials --ids --hide   what is wanted of the supervisor
//   --refuse-address IP      the host's network, without this address; may be repeated
//   --host-network           the host's network
//   --private-network HELPER a network by this helper
//   --user UID               the command's user and group
//   --times N                so many steps, one after the other
//   --capability NAME        one more for the command
//   --allow CALL, --refuse CALL   the policy says this about a call, before all else

import Glibc
import Linux
import Policy
import Sandbox
import SystemPackage

/// Unbuffered: the command writes to the same place.
func say(_ words: String...) {
    try? FileDescriptor.standardOutput.writeFully(Array((words.joined(separator: " ") + "\n").utf8))
}

struct Options {
    var directory: String
    var supervision = StepSupervision.none
    var user: UInt32 = 0
    var times = 1
    var rules: [String] = []
    var capabilities: CapabilitySet = []
    var network = StepCommand.Network.none
    var helpers: [NetworkHelper.Kind] = []
    var command: [String] = []

    init(_ arguments: [String]) {
        directory = arguments[1]
        var words = arguments.dropFirst(2)[...]
        func next() -> String { words.removeFirst() }
        while let word = words.popFirst() {
            switch word {
            case "--denials": supervision.explainsDenials = true
            case "--ids":
                supervision.idMaps = .init(uid: ownMap("uid_map"), gid: ownMap("gid_map"))
            case "--hide": supervision.hidesOwnerRecords = true
            case "--refuse-address":
                supervision.refusedAddresses.append(IPAddress(next())!)
                if network == .none { network = .host }
            case "--private-network":
                network = .private
                helpers = [NetworkHelper.Kind(rawValue: next())!]
            case "--host-network": network = .host
            case "--user": user = UInt32(next())!
            case "--times": times = Int(next())!
            case "--allow": rules.append(rule("ALLOW", next()))
            case "--capability": capabilities.formUnion(CapabilitySet(named: next())!)
            case "--refuse": rules.append(rule("ERRNO", next()))
            case "--":
                command = Array(words)
                words = []
            default: fatalError("no such option: \(word)")
            }
        }
    }
}

func lines(_ path: String) -> [String] {
    let file = try! FileDescriptor.workingDirectory.open(path, .readOnly, resolve: .system)
    let bytes = try! file.borrowed.readAll(limit: 1 << 20)
    return String(decoding: bytes, as: UTF8.self).split(separator: "\n").map(String.init)
}

/// The map of the namespace that we are root of.
func ownMap(_ name: String) -> IDMap {
    IDMap(
        extents: lines("/proc/self/\(name)").map { line in
            let numbers = line.split(separator: " ").map { UInt32($0)! }
            return .init(inside: numbers[0], outside: numbers[1], count: numbers[2])
        })
}

func rule(_ action: String, _ call: String) -> String {
    "{\"names\": [\"\(call)\"], \"action\": \"SCMP_ACT_\(action)\"}"
}

func policy(with rules: [String]) throws -> SandboxPolicy {
    var policy = try SandboxPolicy.default
    if rules.isEmpty { return policy }
    let text = """
        {"defaultAction": "SCMP_ACT_ERRNO", "syscalls": [\(rules.joined(separator: ","))]}
        """
    let more = try SeccompProfile(parsing: Array(text.utf8), named: "test.json")
    policy.seccomp.rules = more.rules + policy.seccomp.rules
    return policy
}

func directory(_ path: String, mode: UInt32 = 0o755) throws -> SharedDescriptor {
    if mkdir(path, mode) != 0 && errno != EEXIST { throw Errno(rawValue: errno) }
    return SharedDescriptor(
        try FileDescriptor.workingDirectory.open(path, [.readOnly, .directory], resolve: .system))
}

func show(_ words: [[UInt8]]) -> String { words.map { printable($0) }.joined(separator: "|") }

func show(_ arguments: [CallArgument]) -> String {
    arguments.map { argument in
        switch argument {
        case .number(let value): "\(value)"
        case .address(let value): value == 0 ? "null" : "address"
        case .text(let bytes, let isCut): "\"\(printable(bytes))\"\(isCut ? "..." : "")"
        }
    }.joined(separator: ",")
}

func report(_ result: StepResult) {
    say("result status \(result.status.code)")
    say("result supervision \(result.supervision)")
    say("result unrecorded \(result.unrecorded)")
    for denial in result.denials {
        var rule = "\(denial.reason)"
        if case .rule(let origin) = denial.reason {
            rule = "\(origin.place.source):\(origin.place.rule ?? -1)"
        }
        say(
            "result denial \(denial.call ?? "?")(\(show(denial.arguments))) \(denial.count)",
            "\(printable(denial.caller.executable)) \(show(denial.caller.arguments)) \(rule)")
    }
    for refused in result.refusedAddresses {
        say(
            "result refused \(refused.call) \(refused.address) \(refused.port) \(refused.count)",
            "\(printable(refused.caller.executable))")
    }
    for missing in result.missingIDs {
        say(
            "result missing \(missing.call)(\(show(missing.arguments))) \(missing.uids)",
            "\(missing.gids) \(missing.count) \(printable(missing.caller.executable))")
    }
}

func step(_ options: Options, _ sandbox: StepSandbox, _ number: Int) throws -> StepResult {
    let base = options.directory
    let tree = try directory("\(base)/tree")
    let stub = try directory("\(base)/stub-\(number)")
    try makeStubLayer(in: stub.borrowed)
    let upper = try directory("\(base)/upper-\(number)")
    let work = try directory("\(base)/work-\(number)")
    _ = try directory("\(base)/attach")
    let identity = UserDatabase.Identity(uid: options.user, gid: options.user)
    let rootfs = try Rootfs(
        lowers: [tree.borrowed, stub.borrowed], upper: upper.borrowed, work: work.borrowed,
        allowsSetUserID: StepSandbox.allowsSetUserID(identity))
    let command = StepCommand(
        arguments: options.command.map { Array($0.utf8) }, environment: [],
        workingDirectory: Array("/".utf8), user: "", network: options.network)
    defer { withExtendedLifetime((tree, stub, upper, work)) {} }
    return try sandbox.run(
        command, in: rootfs, identity: identity, attachAt: Array("\(base)/attach".utf8),
        output: FileDescriptor(rawValue: 1), error: FileDescriptor(rawValue: 2), started: { _ in })
}

func count(_ path: String) throws -> Int {
    let list = try FileDescriptor.workingDirectory.open(
        path, [.readOnly, .directory], resolve: .system)
    return try DirectoryReader().names(in: list.borrowed).count
}

// As the worker is.
_ = makeNotDumpable()
do {
    let options = Options(CommandLine.arguments)
    var policy = try policy(with: options.rules)
    policy.capabilities.formUnion(options.capabilities)
    let began = monotonicSeconds()
    var sandbox = try StepSandbox(
        policy: policy, uid: ownMap("uid_map"),
        gid: ownMap("gid_map"), supervision: options.supervision,
        dropsGroups: lines("/proc/self/setgroups") == ["allow"])
    sandbox.networkHelpers = options.helpers
    say("result prepared \(Int((monotonicSeconds() - began) * 1e6)) microseconds")
    var times: [Double] = []
    func open() throws -> (descriptors: Int, threads: Int) {
        (try count("/proc/self/fd"), try count("/proc/self/task"))
    }
    var before = (descriptors: 0, threads: 0)
    for number in 0..<options.times {
        if number == 1 {
            pause(seconds: 0.05)
            before = try open()
        }
        let start = monotonicSeconds()
        let result = try step(options, sandbox, number)
        times.append(monotonicSeconds() - start)
        if number == 0 { report(result) }
    }
    if options.times > 1 {
        var after = try open()
        // A thread that has said its last word may still be on its way out: of the last step now, and of the first one before. So
        // there may be fewer than before; each of the steps in between would have added to what is left.
        for _ in 0..<6000
        where after.descriptors > before.descriptors || after.threads > before.threads {
            pause(seconds: 0.01)
            after = try open()
        }
        say("result median \(Int(times.sorted()[times.count / 2] * 1e6)) microseconds")
        say("result descriptors \(max(after.descriptors - before.descriptors, 0))")
        say("result threads \(max(after.threads - before.threads, 0))")
    }
} catch {
    say("error: \(error)")
    exit(1)
}
