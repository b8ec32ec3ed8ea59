import TestSupport
import Testing

/// Images that lack what a RUN needs, or have something odd in its place.
struct OddImage: CustomTestStringConvertible {
    var testDescription: String
    /// Makes the root's files, in an empty directory.
    var script: String
    /// What it has of /etc, as `RUN echo > /etc/new` finds it.
    var etc = ["etc directory 755 0:0", "etc/new file 644 0:0"]

    static let all = [
        OddImage(testDescription: "no /etc, /proc, /sys and /dev", script: "mkdir other"),
        OddImage(testDescription: "an empty /etc", script: "mkdir etc"),
        OddImage(
            testDescription: "a dangling link for resolv.conf",
            script: "mkdir etc; ln -s ../run/systemd/resolve/stub-resolv.conf etc/resolv.conf"),
        OddImage(
            testDescription: "absolute links that lead somewhere",
            script: """
                mkdir -p etc run; echo wrong > run/file
                for n in resolv.conf hosts hostname; do ln -s /run/file etc/$n; done
                """),
        OddImage(
            testDescription: "links that would lead out",
            script:
                "mkdir etc; ln -s ../../../../../../etc/shadow etc/hosts; ln -s /proc/1/root/etc/passwd etc/hostname"
        ),
        OddImage(
            testDescription: "an /etc that is a link", script: "mkdir config; ln -s /config etc",
            etc: ["config directory 755 0:0", "config/new file 644 0:0"]),
        OddImage(
            testDescription: "files and modes of its own",
            script: """
                mkdir -p etc proc sys dev/shm; echo nameserver 9.9.9.9 > etc/resolv.conf; echo kept > dev/shm/kept
                chmod 600 etc/resolv.conf; echo kept > proc/kept
                """),
    ]
}

@Suite(.enabled(if: TestHost.allowsSandboxes, needsJudges))
struct `What a RUN needs of the root` {
    private func image(_ odd: OddImage, _ run: String) throws -> Built {
        let folder = try TemporaryDirectory()
        var command = Command([
            "sh", "-euc",
            "umask 022; mkdir tree; cd tree; \(odd.script)\ntar --owner=0 --group=0 --mtime=@1000000000 -cf ../root.tar .",
        ])
        command.directory = folder.path
        try command.run().required()
        let lichen = try LichenProgram()
        let name = try newName()
        let context = try BuildFolder(
            """
            FROM scratch
            ADD root.tar /
            COPY --from=\(Bases.busybox()) /bin /bin
            \(run)
            """)
        try Command(["cp", folder.path("root.tar"), context.path]).run().required()
        let outcome = try lichen.build(context, ["-t", name, "--push"]).run().required()
        return try Built(name, outcome, baseLayers: 2, lichen)
    }

    @Test(arguments: OddImage.all)
    func `works and stays out of the layer`(odd: OddImage) throws {
        let built = try image(
            odd,
            """
            RUN grep -q localhost /etc/hosts && grep -q lichen /etc/hostname && test -f /etc/resolv.conf \\
              && echo > /dev/shm/x && echo >> /etc/hosts && test -d /proc/self && test -c /dev/null && test -d /sys
            RUN echo > /result
            """)
        #expect(built.newLayers.map(\.summary) == [["result file 644 0:0"]])
    }

    @Test(arguments: OddImage.all)
    func `leaves what a RUN makes beside it`(odd: OddImage) throws {
        let built = try image(odd, "RUN echo > /etc/new")
        #expect(built.onlyLayer.summary == odd.etc)
    }

    @Test func `gives the host's name servers, and none to a RUN without network`() throws {
        let built = try build(
            """
            RUN --network=none cp /etc/resolv.conf /none
            RUN cp /etc/resolv.conf /host
            """)
        let host = try Command(["cat", "/etc/resolv.conf"]).run().output
        let layers = Array(built.newLayers)
        #expect(layers[0].entry("none")?.size == 0)
        #expect(
            InspectedImage.decoded(layers[1].entry("host")?.content ?? "")
                == String(decoding: host, as: UTF8.self))
    }
}
