import Attack
import FoundationEssentials
import Glibc
import TestSupport
import Testing

@Suite(.enabled(if: TestHost.allowsSandboxes, needsSandboxes))
struct `Attack: what a RUN reaches` {
    /// CVE-2019-5736. That the builder's file stays as it is, the hygiene checks say.
    @Test func `S01 the builder's file is not to be had`() throws {
        try attack("S01") { scene in
            try scene.expectHeld(.program)
            let base = try Bases.busybox()
            for run in [
                #"RUN ["/proc/self/exe", "version"]"#, #"RUN ["/proc/1/exe", "version"]"#,
                "RUN printf '#!/proc/self/exe\\n' > /evil && chmod +x /evil\nRUN [\"/evil\"]",
                "SHELL [\"/proc/self/exe\"]\nRUN true",
            ] {
                let outcome = try scene.build("FROM \(base)\n\(run)\n")
                #expect(outcome.status == 1, "\(outcome)")
            }
        }
    }

    @Test func `S02 its outputs are pipes, whatever the builder's are`() throws {
        try attack("S02") { scene in
            let base = try Bases.probe()
            let outcome = try scene.build(
                """
                FROM \(base)
                COPY --from=tools attack /bin/attack
                RUN echo before; attack output /answers; echo after; cat /answers
                """, ["tools": AttackProgram.directory()])
            // Standard error is a file of the host here: nothing of it was cut off.
            #expect(outcome.isSuccess, "\(outcome)")
            for word in [
                "before", "after", "kind-1 pipe", "kind-2 pipe", "terminal-1 0", "terminal-2 0",
                "truncate-1 EINVAL", "seek-1 ESPIPE", "link-1 pipe", "link-2 pipe",
            ] { #expect(outcome.error.contains(word), "\(word): \(outcome)") }
        }
    }

    /// CVE-2025-31133, CVE-2025-52565: the image's own /dev is no source of masks.
    @Test(arguments: ["/proc/sys/kernel/core_pattern", "file", "directory", "CANARY/secret.txt"])
    func `S03 the image's devices are hidden by ours`(what: String) throws {
        try attack("S03") { scene in
            let image = RawImage { tar in
                for name in ["dev/null", "dev/console", "dev/ptmx", "dev/pts/0", "dev/tty"] {
                    switch what {
                    case "file": tar.file(name, "the image's")
                    case "directory": tar.directory(name)
                    default: tar.link(name, what.replacing("CANARY", with: scene.canary.path))
                    }
                }
            }
            let text = try scene.printed(
                """
                stat -c '%n %F %t,%T' /dev/null /dev/tty
                ls -d /dev/pts/0 /dev/console 2>/dev/null
                for masked in /proc/kcore /proc/keys /proc/timer_list; do
                    test -e $masked && echo "$masked $(head -c 64 $masked 2>/dev/null | wc -c)"
                done
                echo x > /dev/null
                cat /dev/null
                """, before: "COPY --from=evil / /", ["evil": try scene.base(image)])
            #expect(text.contains("/dev/null character special file 1,3"))
            #expect(text.contains("/dev/tty character special file 5,0"))
            #expect(!text.contains("/dev/console"))
            #expect(!text.contains(scene.canary.secret))
            for line in text.split(separator: "\n") where line.hasPrefix("/proc/") {
                #expect(line.hasSuffix(" 0"), "\(line)")
            }
        }
    }

    private static let places = ["dev", "proc", "sys", "etc", "run", "tmp"]

    /// CVE-2023-28642, CVE-2026-41579: what the builder mounts goes onto its own directories, or the step is refused.
    @Test(arguments: places, ["absolute", "relative", "file", "fifo"])
    func `S04 a place to mount on is no way out`(place: String, kind: String) throws {
        try attack("S04") { scene in
            let image = RawImage { tar in
                switch kind {
                case "absolute": tar.link(place, scene.canary.path)
                case "relative":
                    tar.link(
                        place, String(repeating: "../", count: 20) + scene.canary.path.dropFirst())
                case "file": tar.file(place, "the image's")
                default: tar.add(RawTar.Header(place, "6"))
                }
            }
            let outcome = try scene.build(
                """
                FROM scratch
                COPY --from=evil / /
                COPY --from=\(Bases.busybox()) /bin /bin
                RUN ["/bin/sh", "-c", "cat /proc/self/mountinfo; ls /\(place); echo ran"]
                """, ["evil": try scene.base(image)])
            #expect([0, 1, 65].contains(outcome.status), "\(outcome)")
            #expect(!outcome.error.contains("ORIGINAL"), "\(outcome)")
            #expect(!outcome.error.contains("secret.txt"), "\(outcome)")
        }
    }

    @Test(arguments: [
        "CANARY/secret.txt", "/proc/self/exe", "../../../../../../CANARY/new", "directory",
    ])
    func `S05 resolv.conf, hosts and hostname lead nowhere`(target: String) throws {
        try attack("S05") { scene in
            let image = RawImage { tar in
                for name in ["resolv.conf", "hosts", "hostname"] {
                    if target == "directory" {
                        tar.directory("etc/\(name)")
                    } else {
                        tar.link("etc/\(name)", target.replacing("CANARY", with: scene.canary.path))
                    }
                }
            }
            let outcome = try scene.build(
                """
                FROM \(Bases.busybox())
                COPY --from=evil / /
                RUN cat /etc/resolv.conf /etc/hosts; echo ran
                """, ["evil": try scene.base(image)])
            #expect([0, 1, 65].contains(outcome.status), "\(outcome)")
            #expect(!outcome.error.contains(scene.canary.secret))
        }
    }

    @Test func `S05 they are not in the layer`() throws {
        try attack("S05-layer") { scene in
            let image = try scene.files(
                "FROM \(Bases.busybox())\nRUN echo > /only; cat /etc/resolv.conf > /dev/null\n")
            #expect(image.layers.last?.entries.map(\.name) == ["only"])
        }
    }

    /// CVE-2024-23652: what was made to mount on is removed by what it is, not by its name.
    @Test func `S06 clean-up after a step removes nothing of the host`() throws {
        try attack("S06") { scene in
            for name in ["resolv.conf", "hosts", "hostname", "dev", "proc", "sys"] {
                let path = scene.canary.path + "/\(name)"
                #expect(access(path, F_OK) == 0)
            }
            let canary = scene.canary.path
            let outcome = try scene.build(
                """
                FROM scratch
                COPY --from=\(Bases.busybox()) /bin /bin
                RUN ["/bin/sh", "-c", "mv /etc /was; ln -s \(canary) /etc; mv /dev /was-dev; ln -s \(canary)/dev /dev; ls -l / ; true"]
                RUN ["/bin/sh", "-c", "echo second"]
                """)
            #expect([0, 1].contains(outcome.status), "\(outcome)")
        }
    }

    @Test func `S07 process 1 is out of reach`() throws {
        try attack("S07") { scene in
            try scene.expectHeld(.initProcess)
        }
    }

    @Test(arguments: ["", "USER work"])
    func `S08 nothing that covers can be taken away`(before: String) throws {
        try attack("S08") { scene in
            try scene.expectHeld(.covers, before: before)
        }
    }

    @Test(arguments: ["host", "none"])
    func `S09 its namespaces are its own`(network: String) throws {
        try attack("S09") { scene in
            let kinds = ["user", "mnt", "pid", "ipc", "uts", "cgroup", "net"]
            let list =
                "for n in \(kinds.joined(separator: " ")); do readlink /proc/self/ns/$n; done"
            let inside = try scene.printed(list, [:], ["--network", network]).split(separator: "\n")
            let outside = try Command(["sh", "-c", list]).run().text.split(separator: "\n")
            #expect(inside.count == kinds.count)
            for (number, kind) in kinds.enumerated() {
                let isShared = kind == "net" && network == "host"
                #expect((inside[number] == outside[number]) == isShared, "\(kind)")
            }
        }
    }

    @Test(arguments: ["", "USER work"])
    func `S11 S12 it has no right that it could grow with`(before: String) throws {
        try attack("S11") { scene in
            let isRoot = before.isEmpty
            let inside = try scene.answers("probe identity", before: before)
            let none = "0000000000000000"
            let bounding = "00000000a80425fb"
            #expect(inside["CapInh"] == none)
            #expect(inside["CapAmb"] == none)
            #expect(inside["CapBnd"] == bounding)
            #expect(inside["CapEff"] == (isRoot ? bounding : none))
            #expect(inside["NoNewPrivs"] == (isRoot ? "1" : "0"))
            #expect(inside["Seccomp"] == "2")
            #expect(inside["groups"] == (isRoot ? "" : "2000"))
        }
    }

    @Test func `S13 the environment is the image's and the Dockerfile's`() throws {
        try attack("S13") { scene in
            let secrets = [
                "AWS_SECRET_ACCESS_KEY": "token-aws", "SSH_AUTH_SOCK": "/token-agent",
                "GIT_SSH_COMMAND": "token-git", "DOCKER_AUTH_CONFIG": #"{"auths":{}}"#,
                "NOT_NAMED": "token-arg", "NAMED": "named-value",
            ]
            let text = try scene.printed(
                "env; tr '\\0' '\\n' < /proc/1/environ; echo end",
                before: "ARG NAMED\nARG NOT_GIVEN", [:],
                ["--build-arg", "NAMED"], secrets)
            #expect(text.contains("NAMED=named-value"))
            for word in ["token-", "DOCKER_AUTH", "LICHEN", "TMPDIR", "NOT_NAMED"] {
                #expect(!text.contains(word), "\(word) in \(text)")
            }
        }
    }

    /// CVE-2017-5226, CVE-2023-28100: the builder sits on a terminal, and a RUN types into it.
    @Test func `S14 it has no terminal to type into`() throws {
        try attack("S14") { scene in
            let output = scene.path("answers")
            var command = try scene.buildCommand(
                """
                FROM \(Bases.probe())
                COPY --from=tools attack /bin/attack
                RUN attack terminal > /answers; sleep 1
                FROM scratch
                COPY --from=0 /answers /
                """, ["tools": AttackProgram.directory()], ["-o", output])
            let words = command.arguments.map { "'\($0)'" }.joined(separator: " ")
            // `script` runs it on a terminal of its own, and shows what came out of that.
            command.arguments = ["script", "-qec", words, "/dev/null"]
            command.directory = nil
            try command.run().required()
            let text = String(
                decoding: try Data(contentsOf: URL(filePath: output + "/answers")), as: UTF8.self)
            let inside = Expectation.answers(in: text)
            #expect(AttackCase.terminal.expectation.breaches(in: inside).new.isEmpty)
        }
    }

    @Test func `S15 shared memory of the host is not there`() throws {
        try attack("S15") { scene in
            let made = try Command(["ipcmk", "-M", "4096", "-p", "0666"]).run().required().text
            let id = made.split(whereSeparator: \.isWhitespace).last.map(String.init) ?? ""
            defer { _ = try? Command(["ipcrm", "-m", id]).run() }
            #expect(try Command(["ipcs", "-m"]).run().text.contains(" \(id) "))
            let text = try scene.printed("wc -l < /proc/sysvipc/shm; ls -A /dev/shm /dev/mqueue")
            #expect(text.hasPrefix("1\n"), "only a heading: \(text)")
            #expect(!text.contains("lichen"), "\(text)")
        }
    }

    @Test func `S16 kernel settings and what tells of the host are closed`() throws {
        try attack("S16") { scene in
            for network in ["host", "none"] {
                try scene.expectHeld(.hidden, ["--network", network])
                try scene.expectHeld(.settings, ["--network", network])
            }
            // A map that is written already takes no second one, though it can be opened.
            let maps = try scene.printed(
                "for f in uid_map gid_map projid_map; do echo '0 0 1' > /proc/self/$f && echo \"wrote $f\"; done"
            )
            #expect(!maps.contains("wrote"), "\(maps)")
        }
    }

    @Test func `S17 dev has what programs need and no device of the host`() throws {
        try attack("S17") { scene in
            let text = try scene.printed(
                "find /dev -type c -o -type b | sort; mkdir /n; probe nodes /n; find / -xdev -type b -o -xdev -type c"
            )
            let devices = text.split(separator: "\n").filter { $0.hasPrefix("/dev/") }
            #expect(
                Set(devices) == [
                    "/dev/full", "/dev/null", "/dev/pts/ptmx", "/dev/random", "/dev/tty",
                    "/dev/urandom",
                    "/dev/zero",
                ])
            for name in ["null", "mem", "disk", "fuse"] { #expect(text.contains("\(name) EPERM")) }
        }
    }

    @Test func `S18 a crash leaves no core`() throws {
        try attack("S18") { scene in
            let image = try scene.files(
                "FROM \(Bases.busybox())\nWORKDIR /w\nRUN sh -c 'ulimit -c; kill -SEGV $$'; sh -c 'kill -QUIT $$'; true\n"
            )
            #expect(!image.layers.flatMap(\.entries).contains { $0.name.contains("core") })
            let inside = try scene.answers("echo core $(ulimit -Hc)")
            #expect(inside["core"] == "0")
        }
    }

    @Test func `M11 X05 nothing of the host is mounted, and the store can't be found`() throws {
        try attack("X05") { scene in
            let image = RawImage { tar in
                for name in ["etc/system-fips", "run/secrets", "usr/share/rhel/secrets"] {
                    tar.link(name, scene.canary.path)
                }
            }
            let text = try scene.printed(
                """
                cut -d' ' -f4- /proc/self/mountinfo
                cat /run/secrets/secret.txt /etc/system-fips/secret.txt
                find / -xdev -name oci-layout -o -xdev -name ORIGINAL
                """, before: "COPY --from=evil / /", ["evil": try scene.base(image)])
            #expect(!text.contains(scene.canary.secret))
            #expect(!text.contains("ORIGINAL"))
            #expect(!text.contains("/oci-layout"))
            for line in text.split(separator: "\n") where line.contains(" - ") {
                // Overlay's options name the layers' places, as text; nothing leads there.
                #expect(!line.prefix { $0 != "-" }.contains(scene.lichen.store), "\(line)")
                #expect(!line.contains("/secrets"), "\(line)")
            }
        }
    }
}
