import Attack
import FoundationEssentials
import TestSupport
import Testing

@Suite(.enabled(if: TestHost.allowsSandboxes, needsSandboxes))
struct `Attack: the policy` {
    @Test func `E03 neither image nor context nor Dockerfile widens it`() throws {
        try attack("E03") { scene in
            let refused = try scene.build("FROM \(Bases.busybox())\nRUN --security=insecure true\n")
            scene.expectRefusal(refused, status: [65], ["Dockerfile:2", "--security"])
            let allow =
                #"{"defaultAction":"SCMP_ACT_ALLOW","architectures":["SCMP_ARCH_X86_64"],"syscalls":[]}"#
            let names = [
                "policy.json", "seccomp.json", "default.json", ".lichen/policy.json",
                "policies/default.json",
            ]
            let context = try BuildFolder(
                "", Dictionary(uniqueKeysWithValues: names.map { ($0, allow) }))
            var image = RawImage { tar in
                for name in names { tar.file("etc/" + name, allow) }
            }
            image.run =
                #""Labels":{"seccomp":"unconfined","io.lichen.policy":"insecure","security-opt":"seccomp=unconfined"}"#
            let output = scene.path("out")
            try scene.build(
                """
                FROM base
                COPY --from=\(Bases.busybox()) /bin /bin
                COPY --from=tools attack /bin/attack
                COPY . /context
                LABEL seccomp=unconfined
                ENV LICHEN_POLICY=/context/policy.json
                WORKDIR /context
                RUN attack mounts > /answers; attack calls >> /answers; true
                FROM scratch
                COPY --from=0 /answers /
                """, in: context,
                ["base": try scene.base(image), "tools": try AttackProgram.directory()],
                ["-o", output]
            ).required()
            let text = String(
                decoding: try Data(contentsOf: URL(filePath: output + "/answers")), as: UTF8.self)
            let answers = Expectation.answers(in: text)
            #expect(answers.count > 60)
            for name in ["mount", "bpf", "init_module", "keyctl", "open_tree", "userfaultfd"] {
                #expect(answers[name] == "EPERM", "\(name)")
            }
        }
    }

    @Test(arguments: [
        "type=bind,from=base,source=/rootdir,destination=/x,rw",
        "type=bind,bind-propagation=rshared,target=/x", "type=tmpfs,target=/,size=-1",
        "type=cache,target=/proc,mode=99999", "type=bind,target=../../x,readonly=maybe",
        "type=cache,target=/sys/x", "type=tmpfs,target=/proc", "type=secret,id=../../x,required",
    ])
    func `M01 to M08 a mount that makes no sense is refused with its line`(mount: String) throws {
        try attack("M01") { scene in
            let outcome = try scene.build(
                "FROM scratch AS base\nFROM \(Bases.busybox())\nRUN --mount=\(mount) touch /x/BREAKOUT\n"
            )
            // Its base may have been fetched before the mount was looked at.
            #expect([1, 65].contains(outcome.status ?? -1), "\(outcome)")
            #expect(outcome.error.contains("error: Dockerfile:3: "), "\(outcome)")
        }
    }

    /// Names and paths that would lead out lead nowhere: the scene's canary is looked at afterwards.
    @Test func `M01 to M08 a mount's names stay in the store and in the image`() throws {
        try attack("M02") { scene in
            let outcome = try scene.build(
                """
                FROM \(Bases.busybox()) AS base
                RUN ln -s /../../../../../../etc /out && ln -s \(scene.canary.path) /canary
                FROM \(Bases.busybox())
                RUN --mount=type=cache,id=../../../../canary,target=/x touch /x/BREAKOUT
                RUN --mount=type=cache,target=/y,from=base,source=../../ test ! -e /y/shadow
                RUN --mount=from=base,source=/out,target=/z,rw touch /z/BREAKOUT && test ! -e /z/hostname
                RUN --mount=type=tmpfs,target=/../../../t touch /t/BREAKOUT
                RUN --mount=type=secret,id=../../x,target=/x true
                """)
            #expect(outcome.isSuccess, "\(outcome)")
            let linked = try scene.build(
                "FROM \(Bases.busybox()) AS base\nRUN ln -s \(scene.canary.path) /canary\n"
                    + "FROM \(Bases.busybox())\nRUN --mount=from=base,source=/canary,target=/z,rw touch /z/BREAKOUT\n"
            )
            #expect([1, 65].contains(linked.status ?? -1), "\(linked)")
            #expect(linked.error.contains("error: Dockerfile:4: "), "\(linked)")
        }
    }
}
