import Attack
import FoundationEssentials
import Glibc
import TestSupport
import Testing

@Suite(.enabled(if: TestHost.allowsSandboxes, needsSandboxes))
struct `Attack: the life of a step` {
    @Test func `L03 descriptors run out for a RUN, not for its builder`() throws {
        try attack("L03") { scene in
            try scene.expectHeld(.exhaust)
        }
    }

    /// The hygiene checks look for the marker in all command lines.
    @Test func `L04 what a RUN leaves running ends before its layer is made`() throws {
        try attack("L04") { scene in
            let image = try scene.files(
                """
                FROM \(Bases.busybox())
                COPY --from=tools attack /bin/attack
                RUN echo > /x && attack daemons \(scene.marker) /x && while [ $(wc -l < /x) = 1 ]; do sleep 0.1; done
                RUN wc -l < /x > /first; sleep 0.3; wc -l < /x > /second
                """, ["tools": AttackProgram.directory()])
            let last = try #require(image.layers.last)
            // They did write, and they do no more.
            let first = try #require(
                Int(
                    last.entry("first")?.content.replacing("%0A", with: "").filter(\.isNumber) ?? ""
                ))
            #expect(first > 1)
            #expect(last.entry("first")?.content == last.entry("second")?.content)
        }
    }

    @Test(arguments: [SIGINT, SIGTERM, SIGHUP, SIGKILL], [30, 90, 160, 400])
    func `L05 a builder that is ended leaves nothing running`(signal: CInt, milliseconds: Int)
        throws
    {
        try attack("L05", mayLeaveFiles: true) { scene in
            let command = try scene.buildCommand(
                """
                FROM \(Bases.busybox())
                COPY --from=tools attack /bin/attack
                RUN attack daemons \(scene.marker) /x; exec sh -c ': \(scene.marker); sleep 3000; true'
                """, ["tools": AttackProgram.directory()], ["--no-cache"])
            let running = try command.start()
            usleep(UInt32(milliseconds) * 1000)
            // A builder that is stopped can't watch over anything; its end has to be enough.
            if signal == SIGKILL { running.send(SIGSTOP) }
            let start = ContinuousClock.now
            running.send(signal)
            // The command would go on for longer than this.
            let outcome = try running.finish(within: .seconds(300))
            let isInTime = ContinuousClock.now - start < .seconds(1)
            #expect(outcome.signal == signal || outcome.status == 128 + signal, "\(outcome)")
            let end = ContinuousClock.now + .seconds(300)
            while !Surroundings.processes(marked: scene.marker).isEmpty, ContinuousClock.now < end {
                usleep(20_000)
            }
            #expect(Surroundings.processes(marked: scene.marker).isEmpty)
            // A builder that gets no processor for so long leaves what it made to the next one.
            if signal != SIGKILL, isInTime { #expect(scene.lichen.work.isEmpty) }
            // The next build sweeps up what was left in the store.
            try scene.build("FROM \(Bases.busybox())\nRUN true\n").required()
        }
    }

    @Test func `L06 a step that reads its input gets nothing, and goes on`() throws {
        try attack("L06") { scene in
            let text = try scene.printed("cat; read line; echo \"end $?\"; cat /dev/tty; echo done")
            #expect(text.contains("end 1"))
            #expect(text.hasSuffix("done\n"))
        }
    }
}
