import Doctor
import Linux
import Synchronization

/// Something that a build has less of than by default.
public struct Weakness: Hashable, Sendable, Codable {
    /// The fact of `lichen doctor` that is not good; `--require` insists on it.
    public var fact: String
    /// What follows, in words.
    public var consequence: String

    static let reachableSockets = Weakness(
        fact: "landlock.scopes",
        consequence:
            "this kernel (Linux before 6.12) can't keep RUNs from abstract sockets of this user's programs; "
            + "--network none does")

    static let singleID = Weakness(
        fact: "idmap.range", consequence: "only this user's own id is mapped")

    /// Honest programs are refused, and it is on record; one that sets out to can win a race.
    static let racedMetadata = Weakness(
        fact: "metadata",
        consequence:
            "this kernel (Linux before 6.7, or without Landlock) can't keep a malicious RUN from cloud metadata "
            + "services; --network none does")

    static func coveredProc(_ view: ProcView) -> Weakness {
        let consequence =
            view == .onlyProcesses
            ? "the /proc around this build is masked: a RUN's own holds processes alone, and nothing of the kernel's"
            : "the /proc around this build is masked, and the kernel allows no other: a RUN sees it, with the names and "
                + "command lines of the processes there"
        return Weakness(fact: "proc.fresh", consequence: consequence)
    }

    static func unsupervised(_ reason: String) -> Weakness {
        Weakness(
            fact: "seccomp.listener",
            consequence: "refused calls can't be explained here: \(reason)")
    }

    static func openMetadata(_ reason: String) -> Weakness {
        Weakness(
            fact: "metadata",
            consequence:
                "RUNs can reach cloud metadata services, which give out this machine's credentials: \(reason); "
                + "--network none keeps them from it")
    }
}

/// What is weaker than the default in one build: each said once, and kept for the result.
final class Weaknesses: Sendable {
    private let requirements: Requirements?
    private let observer: BuildObserver
    private let known = Mutex<[Weakness]>([])

    init(_ requirements: Requirements?, observer: @escaping BuildObserver) {
        self.requirements = requirements
        self.observer = observer
    }

    /// Those so far, in their order.
    var all: [Weakness] { known.withLock { $0 } }

    /// Keeps a weakness, and tells of it the first time.
    ///
    /// - Parameter message: nil for nothing.
    /// - Throws: where `--require` insists on its fact, though that was good when it was measured.
    func note(_ weakness: Weakness, saying message: BuildEvent?) throws(BuildError) {
        if requirements?.names(weakness.fact) == true {
            throw BuildError(.host, "--require \(weakness.fact): \(weakness.consequence)")
        }
        let isNew = known.withLock { known in
            if known.contains(where: { $0.fact == weakness.fact }) { return false }
            known.append(weakness)
            return true
        }
        if isNew, let message { observer(message) }
    }

    func note(_ weakness: Weakness) throws(BuildError) {
        try note(weakness, saying: .warning(weakness.consequence))
    }
}
