import Glibc
import Linux
import SystemPackage

/// What of the host is aimed at, and all cases together.
extension AttackCase {
    /// In the order of the table.
    static func all(_ targets: Targets) -> [AttackCase] {
        [
            program, output, descriptors, initProcess, covers, covers.byOtherUser(),
            spaces, namespaces, identity(isRoot: true), identity(isRoot: false), environment,
            terminal, hidden, settings, devices,
            calls, calls.byOtherUser(), mounts, foreign, personality, filters, prctl, ioctl,
            exhaust,
            hostFile(targets), hostProcess(targets), hostSocket(targets), hostMemory(targets),
            hostKey(targets), daemons(targets),
        ]
    }

    /// Those of this process, but for the network, are not the step's.
    static var spaces: AttackCase {
        var rules: [String: Expectation.Rule] = ["net": .anything]
        for kind in ["user", "mnt", "pid", "ipc", "uts", "cgroup"] {
            rules[kind] = .not(link("/proc/self/ns/\(kind)"))
        }
        return AttackCase("S09", "namespaces of the host", ["spaces"], Expectation(rules))
    }

    private static func link(_ path: String) -> String {
        var buffer = [UInt8](repeating: 0, count: 256)
        let count = readlink(path, &buffer, buffer.count)
        return String(decoding: buffer.prefix(max(count, 0)), as: UTF8.self)
    }

    static func hostFile(_ targets: Targets) -> AttackCase {
        AttackCase(
            "X05", "a file of this user", ["host-file", targets.file],
            Expectation(["*": .among(out.union(["ENOTDIR"]))], atLeast: 7))
    }

    /// In the sandbox a low number may be that of one of its own processes.
    static func hostProcess(_ targets: Targets) -> AttackCase {
        let obstacle: String? =
            switch targets.process {
            case .failure(let reason): reason.inWords
            case .success(let id) where id <= 64: "process ids are too low here to tell apart"
            case .success: nil
            }
        return AttackCase(
            "S07", "a process of this user", ["host-process", targets.word(targets.process)],
            Expectation(["*": .among(out)], atLeast: 9), obstacle: obstacle)
    }

    static func hostSocket(_ targets: Targets) -> AttackCase {
        var obstacle = targets.socketObstacle?.inWords
        if availableLandlockScopes() == 0 {
            obstacle = "it is open here: the kernel has no Landlock scopes (ABI 6, Linux 6.12)"
        }
        return AttackCase(
            "S20", "an abstract socket of this user", ["host-socket", targets.name],
            Expectation(["connect": ["EPERM"]]), obstacle: obstacle)
    }

    static func hostMemory(_ targets: Targets) -> AttackCase {
        AttackCase(
            "S15", "System V memory of this user",
            ["host-memory", targets.word(targets.memory)],
            Expectation(["attach": ["EINVAL", "EIDRM"], "look": ["EINVAL", "EIDRM"]]),
            obstacle: targets.memory.obstacle)
    }

    static func hostKey(_ targets: Targets) -> AttackCase {
        AttackCase(
            "S13", "a key of this user's session", ["host-key", targets.name],
            Expectation([
                "search": ["EPERM", "ENOKEY"], "request": ["EPERM", "ENOKEY"], "list": ["hidden"],
            ]),
            obstacle: targets.key.obstacle)
    }

    /// It prints nothing: what is left is looked for from outside.
    static func daemons(_ targets: Targets) -> AttackCase {
        AttackCase(
            "L04", "daemons that outlive their step", ["daemons", targets.name, "/dev/null"],
            Expectation([:]))
    }
}

extension Result where Failure == Errno {
    /// Why there is nothing to aim at.
    var obstacle: String? {
        if case .failure(let reason) = self { reason.inWords } else { nil }
    }
}
