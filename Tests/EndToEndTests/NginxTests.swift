import FoundationEssentials
import Glibc
import TestSupport
import Testing

@Suite(
    .enabled(if: TestHost.allowsSandboxes, needsJudges),
    .enabled(
        if: TestHost.has(["mmdebstrap", "runc", "podman", "curl"]),
        "mmdebstrap, runc, podman or curl is missing"))
struct `The image of the how-to` {
    /// nginx on Debian, and the image that has one page more: both built and pushed with one store.
    private struct Pair {
        var lichen: LichenProgram
        var nginx, page: Built
        var port: Int
    }

    private func make() throws -> Pair {
        let lichen = try LichenProgram()
        let port = try freePort()
        let nginx = try build(
            """
            RUN apt-get update && apt-get install -y --no-install-recommends nginx-light
            RUN printf 'server { listen \(port); root /usr/share/nginx/html; }\\n' > /etc/nginx/sites-enabled/default
            EXPOSE \(port)
            STOPSIGNAL SIGQUIT
            CMD ["nginx", "-g", "daemon off;"]
            """, base: try Bases.debian(), with: lichen)
        let page = try build(
            "RUN echo 'This image is built by lichen' > /usr/share/nginx/html/index.html",
            base: nginx.name, baseLayers: nginx.image.layers.count, with: lichen)
        return Pair(lichen: lichen, nginx: nginx, page: page, port: port)
    }

    @Test func `has one small layer, runs under runc, and is the same to podman`() throws {
        let pair = try make()
        try checkLayers(pair)
        try checkServer(pair)
        try checkPodman(pair)
    }

    private func checkLayers(_ pair: Pair) throws {
        let (nginx, page) = (pair.nginx.image, pair.page.image)
        #expect(page.layers.dropLast().map(\.digest) == nginx.layers.map(\.digest))
        #expect(nginx.layers.count == 3)
        #expect(
            pair.page.onlyLayer.summary == [
                "usr directory 755 0:0", "usr/share directory 755 0:0",
                "usr/share/nginx directory 755 0:0", "usr/share/nginx/html directory 755 0:0",
                "usr/share/nginx/html/index.html file 644 0:0",
            ])
        #expect(page.image.config?.Cmd == ["nginx", "-g", "daemon off;"])
        #expect(page.image.config?.StopSignal == "SIGQUIT")
        #expect(page.image.config?.ExposedPorts?.keys.map(\.self) == ["\(pair.port)/tcp"])
        #expect(page.image.config?.Env == nginx.image.config?.Env)
        #expect(page.image.history?.count == (nginx.image.history?.count ?? 0) + 1)
        #expect(nginx.layers[0].entries.count > 1000)
    }

    /// Runs it as this user, with the network of the host, and asks for the page.
    private func checkServer(_ pair: Pair) throws {
        let unpacked = try UnpackedImage(pair.page.name)
        try prepare(unpacked.bundle)
        let state = try TemporaryDirectory()
        let name = "lichen-test-\(getpid())"
        var command = Command([
            "runc", "--root", state.path, "run", "--bundle", unpacked.bundle, name,
        ])
        command.environment["XDG_RUNTIME_DIR"] = state.path
        let running = try command.start()
        defer {
            // Whatever came of the test: the container ends with it.
            _ = try? Command(["runc", "--root", state.path, "kill", name, "KILL"]).run()
        }
        var answer = ""
        for _ in 0..<4000 where answer.isEmpty && running.isAlive {
            answer = try Command(["curl", "-s", "--noproxy", "*", "http://127.0.0.1:\(pair.port)/"])
                .run().text
            usleep(50_000)
        }
        #expect(answer == "This image is built by lichen\n", "\(running.error)")
    }

    /// What a runtime bundle by umoci needs where an ordinary user runs it with the host's network.
    private func prepare(_ bundle: String) throws {
        let script = """
            import json, sys
            path = sys.argv[1] + "/config.json"
            config = json.load(open(path))
            config["process"]["terminal"] = False
            linux = config["linux"]
            linux["namespaces"] = [n for n in linux["namespaces"] if n["type"] not in ("network", "cgroup")]
            config["mounts"] = [m for m in config["mounts"] if m["type"] not in ("cgroup", "sysfs")]
            # nginx gives its workers to www-data, so more than one id is needed.
            import subprocess
            for kind, file in (("uidMappings", "/etc/subuid"), ("gidMappings", "/etc/subgid")):
                user = subprocess.check_output(["id", "-un"], text=True).strip()
                start, count = [l.split(":")[1:] for l in open(file).read().split() if l.startswith(user + ":")][0]
                linux[kind].append({"containerID": 1, "hostID": int(start), "size": int(count)})
            for kind in config["process"]["capabilities"]:
                config["process"]["capabilities"][kind] += [
                    "CAP_SETUID", "CAP_SETGID", "CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_FOWNER"]
            json.dump(config, open(path, "w"))
            """
        try Command(["python3", "-c", script, bundle]).run().required()
    }

    /// Rootless podman, with overlay, shows the same tree as we write.
    private func checkPodman(_ pair: Pair) throws {
        let directory = try TemporaryDirectory()
        defer { TestHost.remove(directory.path) }
        let folder = try BuildFolder("FROM \(pair.page.name)\n")
        try pair.lichen.build(folder, ["-o", "type=tar,dest=\(directory.path("ours.tar"))"]).run()
            .required()
        let script = """
            umask 022; mkdir home; export HOME=$PWD/home
            # podman takes no longer path than 50 characters for what it runs with.
            run=$(mktemp -d /tmp/lp.XXXXXX); export XDG_RUNTIME_DIR=$run
            p="podman --root $PWD/home/store --runroot $run/p --storage-driver overlay"
            # A process that keeps its namespace stays behind otherwise.
            trap 'kill "$(cat $run/libpod/tmp/pause.pid)"; $p unshare rm -rf $run; rm -rf $run' EXIT
            $p pull -q --tls-verify=false \(pair.page.name) > pulled
            $p unshare sh -euc "m=\\$($p image mount \(pair.page.name)); python3 \(TestHost.fixture("list_files.py")) \\$m > theirs"
            python3 \(TestHost.fixture("list_files.py")) ours.tar > ours
            wc -l < ours
            # Type 020000 and 060000: devices, which podman leaves out where it is not root.
            for list in ours theirs; do grep -Ev "' (8192|24576) " $list > $list.files; done
            diff theirs.files ours.files | head -50
            """
        var command = Command(["sh", "-euc", script])
        command.directory = directory.path
        let outcome = try command.run().required()
        let lines = outcome.text.split(separator: "\n")
        #expect(Int(lines.first ?? "") ?? 0 > 5000)
        #expect(lines.dropFirst().isEmpty, "\(outcome.text)")
    }
}

/// A port of the loopback interface that nobody listens on, and that the kernel gives to nobody who asks for any: it stays free
/// until it is used, which may be minutes from now.
func freePort() throws -> Int {
    let range = try String(
        contentsOfFile: "/proc/sys/net/ipv4/ip_local_port_range", encoding: .utf8)
    let given = range.split(whereSeparator: \.isWhitespace).compactMap { Int($0) }
    let usual = 2000..<65000
    let others = usual.filter { $0 < given.first ?? 32768 || $0 > given.last ?? 60999 }
    // Where all are given away there is none that is sure.
    for port in (others.count > 1000 ? others : Array(usual)).shuffled().prefix(100)
    where isFree(port) { return port }
    throw TestSupportError("no free port")
}

private func isFree(_ port: Int) -> Bool {
    let socket = Glibc.socket(AF_INET, CInt(SOCK_STREAM.rawValue), 0)
    defer { close(socket) }
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = in_port_t(port).bigEndian
    return withUnsafePointer(to: &address) {
        $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
            bind(socket, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
        }
    }
}
