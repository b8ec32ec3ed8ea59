import Glibc
import Linux

extension FactCatalog {
    static let systemFacts: [FactDefinition] = [
        FactDefinition("kernel", .system, "5.12 at least; 6.12 for everything") { _ in
            let version = Host.kernelVersion
            let text = "\(version.0).\(version.1)"
            if version >= (6, 12) { return .good(text) }
            if version >= (5, 12) { return .degraded(text, remedy: "Linux 6.12 or newer") }
            return .missing(text, "too old for a RUN", remedy: "Linux 5.12 or newer")
        },
        FactDefinition("architecture", .system, "images are for this one by default") { _ in
            .good(Host.machine)
        },
        FactDefinition("container", .system, "a container around may forbid namespaces") { place in
            let around = Container.around(place)
            return around == .none ? .good("none") : .good(around.rawValue)
        },
        FactDefinition("user", .system, "an ordinary user is best") { _ in
            let user = InvokingUser.current
            if user.uid != 0 { return .good("\(user.uid)") }
            return .degraded("0", "root", remedy: "run builds as an ordinary user")
        },
        FactDefinition("git", .system, "for build contexts from a repository") {
            program("git", $0, "an administrator runs: apt-get install git")
        },
    ]
}
