import FoundationEssentials
import Glibc
import Synchronization

/// What all tests of one process share: a registry with the bases in it, made when the first test asks, gone at the end.
public enum Bases {
    private struct Shared {
        var registry: LocalRegistry?
        var names: [String: String] = [:]
    }

    private static let shared = Mutex(Shared())

    /// The registry that holds the bases, and takes what the tests push.
    public static func registry() throws -> LocalRegistry {
        try shared.withLock { try registry(&$0) }
    }

    private static func registry(_ shared: inout Shared) throws -> LocalRegistry {
        if let registry = shared.registry { return registry }
        let registry = try LocalRegistry()
        shared.registry = registry
        // A static value lives longer than the process can clean up after it.
        atexit { Bases.shared.withLock { $0 = Shared() } }
        return registry
    }

    /// `HOST:PORT/busybox:1`: Debian's static busybox, with its applets as links, root and nobody in /etc/passwd.
    public static func busybox() throws -> String { try base("busybox", Self.makeBusybox) }

    /// `HOST:PORT/probe:1`: the same with Fixtures/probe.c as /bin/probe, and /bin/setuid-probe, which is set-user-id root.
    public static func probe() throws -> String { try base("probe", Self.makeProbe) }

    /// `HOST:PORT/machines:1`: an index for linux/amd64 and linux/arm64, with Fixtures/machine.c as all that is in each, and an
    /// attestation as buildx adds it.
    public static func machines() throws -> String { try base("machines", Self.makeMachines) }

    /// Whether this host can make `machines()`, and has the emulator for one half of it.
    public static var canEmulate: Bool {
        TestHost.has(["x86_64-linux-gnu-gcc", "aarch64-linux-gnu-gcc", "qemu-aarch64-static"])
    }

    /// `HOST:PORT/debian:bookworm`: Debian 12 by mmdebstrap, as this user. With LICHEN_TEST_CACHE it is kept there for a week.
    public static func debian() throws -> String {
        try base("debian") { try Self.makeDebian("bookworm", including: [], $0) }
    }

    /// `HOST:PORT/compiler:1`: the same with a C compiler.
    public static func compiler() throws -> String {
        try base("compiler") {
            try Self.makeDebian("compiler", including: ["tcc", "libc6-dev", "attr"], $0)
        }
    }

    /// `HOST:PORT/toolchain:1`: Debian with gcc, make and Go 1.19, without those parts of them that no example needs.
    public static func toolchain() throws -> String {
        try base("toolchain") {
            let go = "/usr/lib/go-1.19/pkg"
            let tools = ["api", "cgo", "cover", "dist", "doc", "fix", "pprof", "trace", "vet"]
            try Self.makeDebian(
                "toolchain", including: ["gcc", "libc6-dev", "make", "golang-go"],
                excluding: tools.map { "\(go)/tool/*/\($0)" } + [
                    "\(go)/linux_amd64_dynlink/*", "\(go)/linux_amd64/cmd/*",
                    "/usr/share/go-1.19/test/*", "/usr/share/go-1.19/src/cmd/*",
                    "/usr/bin/*-lto-dump-12", "/usr/lib/gcc/*/12/lto1",
                    "/usr/lib/gcc/*/12/lib?san*",
                ], $0)
        }
    }

    /// `HOST:PORT/scripting:1`: Debian with Node, and Python with the wheels of what builds wheels.
    public static func scripting() throws -> String {
        try base("scripting") {
            try Self.makeDebian(
                "scripting",
                including: [
                    "nodejs", "python3-venv", "python3-setuptools-whl", "python3-wheel-whl",
                ], excluding: [], $0)
        }
    }

    private static func base(_ name: String, _ make: (String) throws -> Void) throws -> String {
        try shared.withLock { shared in
            if let name = shared.names[name] { return name }
            let host = try registry(&shared).host
            let work = try TemporaryDirectory()
            try make(work.path)
            let image = "\(host)/base/\(name):1"
            try Command([
                "skopeo", "copy", "--all", "--quiet", "--dest-tls-verify=false",
                "oci:\(work.path)/layout:base", "docker://\(image)",
            ]).run().required()
            shared.names[name] = image
            return image
        }
    }

    /// Makes an OCI layout of tars, by umoci: a base that nothing of ours has touched.
    private static func makeImage(_ directory: String, _ layers: [String], _ config: [String])
        throws
    {
        let layout = directory + "/layout"
        let image = layout + ":base"
        var commands = [
            ["umoci", "init", "--layout", layout], ["umoci", "new", "--image", image],
        ]
        for layer in layers {
            commands.append(["umoci", "raw", "add-layer", "--image", image, layer])
        }
        commands.append(["umoci", "config", "--image", image] + config)
        for command in commands {
            var command = Command(command)
            command.environment["HOME"] = directory
            try command.run().required()
        }
    }

    private static let searchPath =
        "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

    private static func shell(_ script: String, in directory: String) throws {
        var command = Command(["sh", "-euc", script])
        command.directory = directory
        try command.run().required()
    }

    private static let tar =
        "tar --sort=name --owner=0 --group=0 --numeric-owner --mtime=@1000000000"

    private static func makeBusybox(_ directory: String) throws {
        let script = """
            umask 022
            mkdir -p tree/bin tree/etc tree/root tree/tmp tree/var
            chmod 1777 tree/tmp; chmod 700 tree/root
            cp "$(command -v busybox)" tree/bin/busybox
            for name in $(tree/bin/busybox --list); do
                test "$name" = busybox || ln -s busybox "tree/bin/$name"
            done
            printf 'root:x:0:0:root:/root:/bin/sh\\nnobody:x:65534:65534::/:/bin/sh\\n' > tree/etc/passwd
            printf 'work:x:1000:1000::/home/work:/bin/sh\\n' >> tree/etc/passwd
            printf 'root:x:0:\\nwork:x:1000:\\nextra:x:2000:work\\nnogroup:x:65534:\\n' > tree/etc/group
            \(tar) -cf layer.tar -C tree .
            """
        try shell(script, in: directory)
        try makeImage(
            directory, [directory + "/layer.tar"],
            ["--config.env", searchPath, "--config.cmd", "/bin/sh"])
    }

    private static func makeProbe(_ directory: String) throws {
        try makeBusybox(directory)
        let script = """
            umask 022
            mkdir -p probe/bin
            gcc -static -O1 -Wall -Wextra -Werror -o probe/bin/probe "\(TestHost.fixture("probe.c"))"
            cp probe/bin/probe probe/bin/setuid-probe
            chmod 4755 probe/bin/setuid-probe
            \(tar) -cf probe.tar -C probe .
            umoci raw add-layer --image layout:base probe.tar
            """
        try shell(script, in: directory)
    }

    /// Whether a file that was kept is there, and of these days: Debian's archive moves on.
    private static func isFresh(_ path: String) -> Bool {
        var status = stat()
        guard stat(path, &status) == 0, status.st_uid == geteuid() else { return false }
        return time(nil) - status.st_mtim.tv_sec < 7 * 24 * 3600
    }

    /// FNV-1a of what a base is made with: another way to make it is another file.
    private static func key(_ words: [String]) -> String {
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        for byte in words.joined(separator: "\0").utf8 {
            hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3
        }
        return String(hash, radix: 16)
    }

    private static func makeMachines(_ directory: String) throws {
        for (architecture, compiler) in [
            ("amd64", "x86_64-linux-gnu-gcc"), ("arm64", "aarch64-linux-gnu-gcc"),
        ] {
            let script = """
                umask 022
                mkdir -p \(architecture)/bin
                \(compiler) -static -pthread -O1 -Wall -Wextra -Werror \
                    -o \(architecture)/bin/sh "\(TestHost.fixture("machine.c"))"
                ln -s sh \(architecture)/bin/machine
                \(tar) -cf \(architecture).tar -C \(architecture) .
                test -d layout || umoci init --layout layout
                umoci new --image layout:\(architecture)
                umoci raw add-layer --image layout:\(architecture) \(architecture).tar
                umoci config --image layout:\(architecture) --architecture \(architecture) --config.env "\(searchPath)"
                """
            try shell(script, in: directory)
        }
        try shell("python3 '\(TestHost.fixture("make_index.py"))' layout base", in: directory)
    }

    private static func makeDebian(
        _ name: String, including packages: [String], excluding paths: [String] = [],
        _ directory: String
    ) throws {
        let cache = getenv("LICHEN_TEST_CACHE").map { String(cString: $0) } ?? directory
        var arguments = ["mmdebstrap", "--quiet", "--format=tar", "--variant=apt"]
        if !packages.isEmpty { arguments.append("--include=" + packages.joined(separator: ",")) }
        arguments += paths.map { "--dpkgopt=path-exclude=" + $0 }
        let version = try Command(["mmdebstrap", "--version"]).run().required().text
        let tar = "\(cache)/debian-\(name)-\(key(arguments + [version])).tar"
        if !isFresh(tar) {
            let part = tar + ".\(getpid())"
            var command = Command(arguments + ["bookworm", part])
            command.directory = cache
            try command.run().required()
            guard rename(part, tar) == 0 else { throw TestSupportError("rename \(part)") }
        }
        try makeImage(
            directory, [tar], ["--config.env", searchPath, "--config.cmd", "bash"])
    }
}
