import Glibc
import Limits
import Linux
import SystemPackage

/// The host's git, kept from everything that could change what it does: no configuration but its own, no prompt, no hook, no
/// protocol but those of the network, and a limit on its time.
struct GitProcess: Sendable {
    /// An absolute path of a directory of this build's alone, which is git's home and where it works.
    let home: String
    /// The value of `Authorization` for a repository, and the address that it is for.
    var login: (address: String, value: String)?

    static let maximumOutputBytes = Limit.gitOutput

    /// What of the user's environment git needs to reach a server.
    private static let passedOn = [
        "PATH", "SSH_AUTH_SOCK", "http_proxy", "https_proxy", "HTTPS_PROXY", "all_proxy",
        "ALL_PROXY",
        "no_proxy", "NO_PROXY", "SSL_CERT_FILE", "SSL_CERT_DIR", "GIT_SSL_CAINFO",
    ]

    private static let environment = [
        "GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_GLOBAL": "/dev/null", "GIT_ATTR_NOSYSTEM": "1",
        "GIT_TERMINAL_PROMPT": "0", "GIT_ASKPASS": "/bin/false", "SSH_ASKPASS": "/bin/false",
        "GIT_SSH_COMMAND": "ssh -oBatchMode=yes",
        // A submodule may name any URL: neither a path of this machine nor a program is one.
        "GIT_ALLOW_PROTOCOL": "git:http:https:ssh", "GIT_NO_REPLACE_OBJECTS": "1", "LC_ALL": "C",
    ]

    private static let settings = [
        "core.hooksPath=/dev/null", "core.fsmonitor=false", "core.symlinks=true",
        "core.autocrlf=false", "core.fileMode=true", "gc.auto=0", "maintenance.auto=false",
        "fetch.recurseSubmodules=false", "submodule.recurse=false", "init.defaultBranch=master",
        "advice.detachedHead=false", "http.lowSpeedLimit=1", "http.lowSpeedTime=60",
    ]

    /// Runs git to its end; what it wrote to its standard output.
    ///
    /// - Throws: `BuildError` with git's own last words, `CancellationError`.
    @discardableResult
    func run(_ arguments: [String], limit: Duration = Limit.git) async throws -> String {
        let cancellation = CancellationFlag()
        return try await withTaskCancellationHandler {
            try await blocking { try perform(arguments, limit, cancellation) }
        } onCancel: {
            cancellation.cancel()
        }
    }

    /// The command, for messages.
    private func name(_ arguments: [String]) -> String {
        "git " + (arguments[0] == "-C" ? arguments[2] : arguments[0])
    }

    private func perform(
        _ arguments: [String], _ limit: Duration, _ cancellation: CancellationFlag
    ) throws -> String {
        guard let program = Self.find() else {
            throw BuildError(
                .host, "git is not installed", hint: "ADD of a git repository needs it")
        }
        let settings = Self.settings.flatMap { ["-c", $0] }
        var child = try HostProcess(
            program, ["git"] + settings + arguments, environment: variables,
            output: .newFile(home + "/output"), errors: .newFile(home + "/error"))
        let deadline = ContinuousClock.now + limit
        while true {
            if let status = child.exitStatus() {
                if status.isSuccess { return try read("output") }
                let words = try read("error").split(separator: "\n").suffix(3)
                    .joined(separator: "; ")
                throw BuildError(
                    .network, "\(name(arguments)) failed: \(printable(words.prefix(2000).utf8))")
            }
            try cancellation.check()
            if ContinuousClock.now > deadline {
                throw BuildError(
                    .network, "\(name(arguments)) took longer than \(limit.components.seconds) s")
            }
            usleep(5000)
        }
    }

    private var variables: [String: String] {
        var variables = Self.environment
        variables["HOME"] = home
        for name in Self.passedOn {
            if let value = getenv(name) { variables[name] = String(cString: value) }
        }
        // Where git works lie a stranger's files: a search path may not lead there.
        variables["PATH"] = Self.absolute(variables["PATH"] ?? "")
        return variables.merging(loginSettings) { $1 }
    }

    private func read(_ name: String) throws -> String {
        let file = try FileDescriptor.workingDirectory.open(
            "\(home)/\(name)", [.readOnly, .noFollow], resolve: .system)
        return String(
            decoding: try file.borrowed.readAll(limit: Self.maximumOutputBytes), as: UTF8.self)
    }

    /// The entries of a search path that begin at the root; the system's own where there is none.
    private static func absolute(_ path: String) -> String {
        let entries = path.split(separator: ":").filter { $0.hasPrefix("/") }
        return entries.isEmpty ? "/usr/bin:/bin" : entries.joined(separator: ":")
    }

    private static func find() -> String? {
        ["/usr/bin/git", "/usr/local/bin/git", "/bin/git"].first { access($0, X_OK) == 0 }
    }

    /// By the environment, where other users can't see it. A redirect would take it along: there are none then.
    private var loginSettings: [String: String] {
        guard let login else { return [:] }
        return [
            "GIT_CONFIG_COUNT": "2", "GIT_CONFIG_KEY_0": "http.\(login.address).extraHeader",
            "GIT_CONFIG_VALUE_0": "Authorization: " + login.value,
            "GIT_CONFIG_KEY_1": "http.followRedirects", "GIT_CONFIG_VALUE_1": "false",
        ]
    }
}
