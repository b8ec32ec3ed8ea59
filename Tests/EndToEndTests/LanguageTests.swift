import TestSupport
import Testing

@Suite(.enabled(if: TestHost.allowsSandboxes, needsJudges))
struct `A Dockerfile` {
    /// What the last layer's file `/out` says.
    private func output(_ dockerfile: String, _ arguments: [String] = []) throws -> [String] {
        let built = try build(dockerfile, arguments)
        let entry = try #require(built.newLayers.last?.entry("tmp/out"))
        return InspectedImage.decoded(entry.content).split(separator: "\n").map(String.init)
    }

    @Test(arguments: [
        ("work", "uid=1000(work) gid=1000(work) groups=1000(work),2000(extra)", "/home/work"),
        ("1000", "uid=1000(work) gid=1000(work) groups=1000(work),2000(extra)", "/home/work"),
        ("4321", "uid=4321 gid=0(root) groups=0(root)", "/"),
        ("4321:77", "uid=4321 gid=77 groups=77", "/"),
        ("work:extra", "uid=1000(work) gid=2000(extra) groups=2000(extra)", "/home/work"),
        ("root", "uid=0(root) gid=0(root) groups=0(root)", "/root"),
    ])
    func `runs as the USER`(user: String, ids: String, home: String) throws {
        let lines = try output("USER \(user)\nRUN id > /tmp/out; echo $HOME >> /tmp/out")
        // Docker adds the primary group to the supplementary ones; to root's processes it makes no difference.
        #expect(lines.first?.hasPrefix(ids.split(separator: " groups")[0]) == true, "\(lines)")
        #expect(ids.contains("extra") == (lines.first?.contains("extra") == true), "\(lines)")
        #expect(lines.last == home)
    }

    @Test func `makes its WORKDIR, for the USER and with the usual mode`() throws {
        let built = try build(
            "USER work\nWORKDIR /a/b\nWORKDIR c\nUSER root\nRUN pwd > out\nWORKDIR /tmp")
        #expect(built.image.image.config?.WorkingDir == "/tmp")
        let all = built.newLayers.flatMap(\.summary)
        #expect(all.contains("a/b/c directory 755 1000:1000"))
        #expect(built.newLayers.last?.entry("a/b/c/out")?.content == "/a/b/c%0A")
    }

    @Test func `has the scopes of ARG and ENV that a user expects`() throws {
        let built = try buildWhole(
            """
            ARG BASE=\(Bases.busybox())
            ARG GLOBAL=outer
            FROM $BASE AS first
            ARG ONLY=first
            RUN echo "[$GLOBAL][$ONLY]" > /tmp/one
            FROM first
            ARG GLOBAL
            ARG GIVEN=default
            ARG LATER
            ENV SHOWN="$GIVEN!" LATER=environment
            RUN echo "[$GLOBAL][$ONLY][$GIVEN][$SHOWN][$LATER]" > /tmp/two
            """, baseLayers: 1, ["--build-arg", "GIVEN=told", "--build-arg", "LATER=argument"])
        let layers = Array(built.newLayers)
        #expect(layers[0].entry("tmp/one")?.content == "[][first]%0A")
        #expect(
            layers[1].entry("tmp/two")?.content == "[outer][first][told][told!][environment]%0A")
        let environment = built.image.image.config?.Env ?? []
        #expect(environment.contains("SHOWN=told!"))
        #expect(!environment.contains { $0.hasPrefix("GIVEN") || $0.hasPrefix("GLOBAL") })
    }

    @Test func `writes all that it says into the config`() throws {
        let built = try build(
            """
            ENV A=1 B="two words"
            LABEL a.b="c d" e=f
            EXPOSE 80 53/udp
            VOLUME /data ["x"]
            STOPSIGNAL SIGQUIT
            SHELL ["/bin/sh", "-ec"]
            ENTRYPOINT ["/bin/echo", "x"]
            CMD echo $A
            HEALTHCHECK --interval=5s CMD true
            USER work:extra
            """, ["--label", "given=yes"])
        let config = try #require(built.image.image.config)
        #expect(config.Env?.suffix(2) == ["A=1", "B=two words"])
        #expect(config.Labels == ["a.b": "c d", "e": "f", "given": "yes"])
        #expect(Set(config.ExposedPorts?.keys.map(\.self) ?? []) == ["80/tcp", "53/udp"])
        #expect(config.Volumes?.keys.contains("/data") == true)
        #expect(config.StopSignal == "SIGQUIT")
        #expect(config.Entrypoint == ["/bin/echo", "x"])
        #expect(config.Cmd == ["/bin/sh", "-ec", "echo $A"])
        #expect(config.Healthcheck?.Test == ["CMD-SHELL", "true"])
        #expect(config.User == "work:extra")
        #expect(built.newLayers.isEmpty)
    }

    @Test func `copies what COPY, ADD and .dockerignore say`() throws {
        let context = [
            "a/one": "1", "a/two.log": "2", "a/deep/three": "3", "b": "4",
            ".dockerignore": "**/*.log\n",
        ]
        let built = try build(
            """
            COPY a /copied/
            COPY --chown=work:extra --chmod=750 b /owned/b
            FROM \(Bases.busybox())
            COPY --from=0 /copied/deep /deep
            ADD b /added
            RUN test -f /deep/three
            """, files: context)
        #expect(
            built.newLayers.map(\.summary) == [
                ["deep directory 755 0:0", "deep/three file 644 0:0"], ["added file 644 0:0"],
            ])
        let first = try buildWhole(
            "FROM \(Bases.busybox())\nCOPY a /copied/\nCOPY --chown=work:extra --chmod=750 b /owned/b\n",
            files: context, baseLayers: 1)
        #expect(
            first.newLayers.map(\.summary) == [
                [
                    "copied directory 755 0:0", "copied/deep directory 755 0:0",
                    "copied/deep/three file 644 0:0", "copied/one file 644 0:0",
                ],
                ["owned directory 750 1000:2000", "owned/b file 750 1000:2000"],
            ])
    }

    @Test func `fails where a command fails, with its line, and leaves nothing`() throws {
        let lichen = try LichenProgram()
        let folder = try BuildFolder("FROM \(Bases.busybox())\nRUN echo said; exit 7\n")
        let outcome = try lichen.build(folder, ["-t", "failed:1"]).run()
        #expect(outcome.status == 1)
        #expect(outcome.output.isEmpty)
        #expect(outcome.error.contains("Dockerfile:2: the command failed: exit status 7"))
        #expect(outcome.error.contains("#1 said"))
        #expect(lichen.work.isEmpty)
        #expect(!String(decoding: lichen.index, as: UTF8.self).contains("failed:1"))
    }
}
