/// The container that this process seems to run in, and how one is started that lets builds run.
enum Container: String, Sendable {
    case none, docker, podman, kubernetes, systemd, other

    static func around(_ place: Place) -> Container {
        if place.environment["KUBERNETES_SERVICE_HOST"] != nil
            || place.exists("/var/run/secrets/kubernetes.io")
        {
            return .kubernetes
        }
        if place.exists("/run/.containerenv") { return .podman }
        if place.exists("/.dockerenv") { return .docker }
        switch place.environment["container"] {
        case nil, "": break
        case "podman": return .podman
        case "docker": return .docker
        case "systemd-nspawn": return .systemd
        default: return .other
        }
        // Set by managers for what they start; readable for everyone since systemd 233.
        return place.line(of: "/run/systemd/container").map { _ in .other } ?? .none
    }

    /// How its start lets namespaces and mounts through.
    var namespaceRemedy: String? {
        switch self {
        case .none: nil
        case .docker, .podman:
            "start the container with --security-opt seccomp=unconfined "
                + "--security-opt apparmor=unconfined --security-opt systempaths=unconfined"
        case .kubernetes:
            "give the pod hostUsers: false, procMount: Unmasked and seccompProfile: Unconfined"
        case .systemd: "start the container with --private-users=pick --system-call-filter=mount"
        case .other: "have the container's seccomp profile allow clone3, unshare and mount"
        }
    }

    /// How its start leaves /proc unmasked.
    var procRemedy: String? {
        switch self {
        case .none: nil
        case .docker: "start the container with --security-opt systempaths=unconfined"
        case .podman: "start the container with --security-opt unmask=ALL"
        case .kubernetes: "give the pod procMount: Unmasked (and hostUsers: false)"
        case .systemd, .other: "start the container with nothing mounted over /proc"
        }
    }
}

extension Place {
    /// What lets namespaces through: the container's start, else the kernel's or its modules' settings.
    var namespaceRemedy: String {
        if let remedy = Container.around(self).namespaceRemedy { return remedy }
        if let filter = ownStatus("Seccomp"), filter != "0" {
            return
                "a seccomp filter is around this process: start it without, or let namespaces through"
        }
        return "an administrator allows user namespaces: sysctl user.max_user_namespaces=28633"
    }

    var procRemedy: String {
        Container.around(self).procRemedy
            ?? "something is mounted over a part of /proc (findmnt -R /proc): an administrator unmounts it"
    }
}
