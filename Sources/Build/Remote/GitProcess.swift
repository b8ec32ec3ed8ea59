import Glibc
import Linux
import SystemPackage

/// The host's git, kept from everything that could change what it does: no configuration but its own, no prompt, no hook, no
/// protocol but those of the network, and a limit on its time.
struct GitProcess: Sendable {
    /// An absolute path of a directory of this build's alone, which is git's home and where it works.
    let home: String
    /// The value of `Authorization` for a repository, and the address that it is for.
    var login: (address: String, value: String)?

    static let maximumOutputBytes = 4 << 20

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
    func run(_ arguments: [String], limit: Duration = .seconds(1800)) async throws -> String {
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
        let child = try spawn(program, ["git"] + settings + arguments)
        var status: CInt = 0
        let deadline = ContinuousClock.now + limit
        while waitpid(child, &status, WNOHANG) == 0 {
            do {
                try cancellation.check()
                if ContinuousClock.now > deadline {
                    throw BuildError(
                        .network,
                        "\(name(arguments)) took longer than \(limit.components.seconds) s")
                }
            } catch {
                kill(-child, SIGKILL)
                waitpid(child, nil, 0)
                throw error
            }
            usleep(5000)
        }
        if status != 0 {
            let words = try read("error").split(separator: "\n").suffix(3).joined(separator: "; ")
            throw BuildError(
                .network, "\(name(arguments)) failed: \(printable(words.prefix(2000).utf8))")
        }
        return try read("output")
    }

    private func read(_ name: String) throws -> String {
        let file = try FileDescriptor.workingDirectory.open(
            "\(home)/\(name)", [.readOnly, .noFollow], resolve: .system)
        return String(
            decoding: try file.borrowed.readAll(limit: Self.maximumOutputBytes), as: UTF8.self)
    }

    private static func find() -> String? {
        ["/usr/bin/git", "/usr/local/bin/git", "/bin/git"].first { access($0, X_OK) == 0 }
    }

    private func spawn(_ path: String, _ words: [String]) throws(Errno) -> pid_t {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        let flags = O_WRONLY | O_CREAT | O_TRUNC
        posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_addopen(&actions, 1, home + "/output", flags, 0o600)
        posix_spawn_file_actions_addopen(&actions, 2, home + "/error", flags, 0o600)
        try closeDescriptors(from: 3, in: &actions)
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        var none = sigset_t()
        var all = sigset_t()
        sigemptyset(&none)
        sigfillset(&all)
        posix_spawnattr_setsigmask(&attributes, &none)
        posix_spawnattr_setsigdefault(&attributes, &all)
        posix_spawnattr_setflags(
            &attributes,
            Int16(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | Self.newSession))
        var variables = Self.environment
        variables["HOME"] = home
        for name in Self.passedOn {
            if let value = getenv(name) { variables[name] = String(cString: value) }
        }
        variables.merge(loginSettings) { $1 }
        var arguments = words.map { strdup($0) } + [nil]
        var environment = variables.map { strdup("\($0.key)=\($0.value)") } + [nil]
        defer { (arguments + environment).forEach { free($0) } }
        var child: pid_t = 0
        let error = posix_spawn(&child, path, &actions, &attributes, &arguments, &environment)
        if error != 0 { throw Errno(rawValue: error) }
        return child
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

    /// POSIX_SPAWN_SETSID of spawn.h, which Swift does not see: git and what it starts are ended together.
    private static let newSession: CInt = 0x80
}
