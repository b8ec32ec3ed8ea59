import FoundationEssentials
import Glibc
import Synchronization
import TestSupport
import Testing

@Suite(.enabled(if: TestHost.allowsSandboxes, needsSandboxes))
struct `Attack: COPY and ADD` {
    /// CVE-2018-15664.
    @Test func `A01 a link in a stage is resolved in the stage`() throws {
        try attack("A01") { scene in
            let canary = scene.canary.path
            let links = [
                "shadow": "/etc/shadow", "root": "/", "magic": "/proc/self/root",
                "up": "../../../../etc/shadow", "file": canary + "/secret.txt", "dir": canary,
            ]
            let image = RawImage { tar in
                tar.directory("etc")
                tar.file("etc/shadow", "the stage's")
                for (name, target) in links { tar.link(name, target) }
            }
            let base = try scene.base(image)
            for name in links.keys.sorted() {
                for source in ["/\(name)", "/\(name)/", "/\(name.prefix(2))*"] {
                    let outcome = try scene.build(
                        "FROM scratch\nCOPY --from=base \(source) /copy/\n", ["base": base])
                    #expect([0, 65].contains(outcome.status), "\(source): \(outcome)")
                }
            }
            try scene.expectNowhere(scene.canary.secret)
            let made = try scene.files(
                "FROM scratch\nCOPY --from=base /shadow /up /copy/\n", ["base": base])
            #expect(made.layers[0].entry("copy/shadow")?.content == "the stage's")
            #expect(made.layers[0].entry("copy/up")?.content == "the stage's")
        }
    }

    /// CVE-2018-15664, CVE-2024-23651: somebody swaps a directory of the context for a link while it is read.
    @Test func `A02 a swap while files are read brings nothing of the host`() throws {
        try attack("A02") { scene in
            let context = try BuildFolder("")
            for number in 0..<100 { try context.write("d/sub/file-\(number)", "harmless") }
            // The same names, so that a walk through the link would find them.
            let trap = scene.path("trap")
            for number in 0..<100 {
                let folder = trap + "/sub"
                try FileManager.default.createDirectory(
                    atPath: folder, withIntermediateDirectories: true)
                try Data(scene.canary.secret.utf8).write(
                    to: URL(filePath: "\(folder)/file-\(number)"))
            }
            guard symlink(trap, context.path + "/link") == 0 else {
                throw TestSupportError("symlink")
            }
            let swapper = Swapper(context.path + "/d", context.path + "/link")
            defer { swapper.stop() }
            // More than a dozen where the one who swaps gets no processor.
            var builds = 0
            while builds < 12 || (swapper.count <= 500 && builds < 1000) {
                builds += 1
                let outcome = try scene.build(
                    "FROM scratch\nCOPY d /copy\n", in: context, [:], ["--no-cache"])
                #expect([0, 65, 1, 74].contains(outcome.status), "\(outcome)")
            }
            #expect(swapper.count > 500, "\(swapper.count) swaps")
            try FileManager.default.removeItem(atPath: trap)
            try scene.expectNowhere(scene.canary.secret)
        }
    }

    @Test(arguments: [
        ("/proc/self/cwd/../..", "dst"), ("../../../../CANARY", "dst"), ("CANARY", "dst"),
        ("/", "a/b/c"),
        ("CANARY/new", "dst"), ("CANARY/secret.txt", "dst"),
    ])
    func `A03 a destination behind links stays in the image`(target: String, destination: String)
        throws
    {
        try attack("A03") { scene in
            let image = RawImage { tar in
                tar.link(
                    String(destination.prefix { $0 != "/" }),
                    target.replacing("CANARY", with: scene.canary.path))
            }
            let context = try BuildFolder("", ["file": "pwned"])
            for end in ["", "/", "/file"] {
                let outcome = try scene.build(
                    "FROM base\nCOPY file /\(destination)\(end)\n", in: context,
                    ["base": try scene.base(image)])
                #expect([0, 65].contains(outcome.status), "\(outcome)")
            }
        }
    }

    @Test func `A03 a pipe or a device at the destination is replaced, not opened`() throws {
        try attack("A03-nodes") { scene in
            let image = RawImage { tar in
                tar.add(RawTar.Header("pipe", "6"))
                var header = RawTar.Header("disk", "4")
                header.major = 8
                tar.add(header)
            }
            let context = try BuildFolder("", ["file": "content"])
            let made = try scene.files(
                "FROM base\nCOPY file /pipe\nCOPY file /disk\n", in: context,
                ["base": try scene.base(image)])
            #expect(made.layers[1].entry("pipe")?.kind == "file")
            #expect(made.layers[2].entry("disk")?.content == "content")
        }
    }

    @Test func `A04 places of the kernel and of the builder are ordinary names in a layer`() throws
    {
        try attack("A04") { scene in
            let context = try BuildFolder("", ["file": "mine"])
            let names = [
                "proc/1/mem", "proc/sysrq-trigger", "sys/x", "dev/null", "etc/hosts", "etc/mtab",
                "etc/resolv.conf", ".lichen/x",
            ]
            let lines = names.map { "COPY file /\($0)\n" }.joined()
            let made = try scene.files(
                "FROM \(Bases.busybox())\n\(lines)RUN cat /etc/hosts > /seen\n", in: context)
            for name in names {
                let entry = made.layers.lazy.compactMap { $0.entry(name) }.first
                #expect(entry?.content == "mine", "\(name)")
            }
            // The step saw the builder's file, and the layer has the image's.
            let last = try #require(made.layers.last)
            #expect(last.entries.map(\.name) == ["seen"])
            #expect(last.entries[0].content != "mine")
        }
    }

    @Test func `A05 names that look like options or patterns are names`() throws {
        try attack("A05") { scene in
            let context = try BuildFolder("")
            let names = [
                "-rf", "--chown=0", "*", "[a]", "a\\b", "line\nfeed", "--", "$(id)", "`id`",
            ]
            for name in names { try context.write("d/" + name, name) }
            let made = try scene.files(
                """
                FROM scratch
                COPY d /d
                COPY ["d/*", "/one/"]
                COPY ["d/[[]a]", "/two/"]
                COPY ["d/--chown=0", "/three/"]
                """, in: context)
            func found(_ layer: Int) -> Set<String> {
                Set(
                    made.layers[layer].entries.filter { $0.kind == "file" }.map {
                        InspectedImage.decoded($0.content)
                    })
            }
            #expect(found(0) == Set(names))
            #expect(found(1) == Set(names))
            #expect(found(2) == ["[a]"])
            #expect(found(3) == ["--chown=0"])
        }
    }

    /// A host that is an option of ssh or git must never reach a command line as one.
    @Test(arguments: [
        "ssh://-oProxyCommand=touch%20pwn/y", "git@-oProxyCommand=touch pwn:y",
        "https://127.0.0.1:1/--upload-pack=x.git",
    ])
    func `G01 a repository's name is no option of git or ssh`(url: String) throws {
        try attack("G01") { scene in
            let outcome = try scene.build("FROM scratch\nADD [\"\(url)\", \"/x\"]\n")
            scene.expectRefusal(outcome, status: [1, 65, 69], ["Dockerfile:2"])
        }
    }

    @Test(arguments: ["file:///etc/passwd", "ftp://x/y", "gopher://x/y", "unix:/x", "data:,x"])
    func `A06 another scheme is a file of the context that is missing`(url: String) throws {
        try attack("A06-scheme") { scene in
            let outcome = try scene.build("FROM scratch\nADD \(url) /x\n")
            scene.expectRefusal(outcome, status: [65], ["Dockerfile:2"])
        }
    }

    /// GHSA-32pv-7hq5-qhwq.
    @Test func `A08 what a COPY replaces is in the image`() throws {
        try attack("A08") { scene in
            let context = try BuildFolder("", ["d/x": "new", "file": "new"])
            for destination in ["..", "a/../..", "/", "../../canary", "./../canary/empty"] {
                let outcome = try scene.build(
                    "FROM base\nCOPY file \(destination)\nCOPY d \(destination)/\n", in: context,
                    ["base": try scene.base(RawImage { $0.file("a/x") })])
                #expect([0, 65].contains(outcome.status), "\(outcome)")
            }
        }
    }

    @Test(arguments: [
        "..", "a/..", "../../etc", "/proc/self/fd/3", "/proc/self/cwd", "/proc/1/root", "loop/x",
        "file",
    ])
    func `I12 a working directory is one of the image`(path: String) throws {
        try attack("I12") { scene in
            var image = RawImage { tar in
                tar.link("loop", "loop")
                tar.file("file")
            }
            image.run = "\"WorkingDir\":\"\(path)\""
            let outcome = try scene.build(
                """
                FROM base
                COPY --from=\(Bases.busybox()) /bin /bin
                RUN ["/bin/sh", "-c", "pwd -P; ls -A; ls -di ."]
                """, ["base": try scene.base(image)])
            #expect([0, 65].contains(outcome.status), "\(outcome)")
            if !outcome.isSuccess {
                for word in ["Dockerfile:3", "the working directory", "can't be entered"] {
                    #expect(outcome.error.contains(word), "\(outcome)")
                }
            }
            // Its listing would have them.
            for word in ["oci-layout", "canary", "blobs"] {
                #expect(
                    !outcome.error.split(separator: "\n").contains { $0.hasSuffix(word) },
                    "\(outcome)")
            }
            let named = try scene.build(
                "FROM base\nWORKDIR \(path)\n", ["base": try scene.base(image)])
            #expect([0, 1, 65].contains(named.status), "\(named)")
        }
    }
}

/// Lets two names change places as fast as it can, until it is stopped.
final class Swapper: Sendable {
    private let state: State

    private final class State: Sendable {
        let isDone = Atomic(false)
        let count = Atomic(0)
        let ended = DispatchSemaphoreBox()
    }

    init(_ one: String, _ two: String) {
        let state = State()
        self.state = state
        startSwapping {
            while !state.isDone.load(ordering: .relaxed) {
                if exchange(one, two) { state.count.add(1, ordering: .relaxed) }
                usleep(200)
            }
            // As it was: the context is removed by its names.
            if state.count.load(ordering: .relaxed) % 2 == 1 { _ = exchange(one, two) }
            state.ended.signal()
        }
    }

    var count: Int { state.count.load(ordering: .relaxed) }

    func stop() {
        state.isDone.store(true, ordering: .relaxed)
        state.ended.wait()
    }
}
