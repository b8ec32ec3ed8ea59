import FoundationEssentials
import Glibc
import TestSupport
import Testing

@Suite(.serialized, .enabled(if: TestHost.allowsSandboxes, needsJudges))
struct `A store without room` {
    /// From nothing at all to nearly enough: each step of a build meets the end of the disk.
    private static let sizes = [16, 64, 300, 700, 1100, 1500, 2000, 2600, 3200, 3800, 4500, 5500]

    /// Builds on the small disk, checks the store, makes room, and builds again.
    private static let script = """
        export HOME=$DISK LICHEN_ROOT=$DISK/store SOURCE_DATE_EPOCH=1500000000
        status=0; $LICHEN build --progress plain $CONTEXT > $DISK/none 2> /dev/shm/$NAME || status=$?
        echo "status $status"
        grep -a '^error:' /dev/shm/$NAME || true
        rm -f /dev/shm/$NAME
        > $DISK/grow; while [ -e $DISK/grow ]; do sleep 0.02; done
        $LICHEN store check || echo damaged
        echo "left $(ls $LICHEN_ROOT/work | wc -l)"
        $LICHEN build --progress plain $CONTEXT 2>&1
        $LICHEN store check
        dd if=/dev/zero of=$DISK/filler bs=64k 2> /dev/null || true
        echo "full: $($LICHEN prune --all)"
        rm $DISK/filler
        $LICHEN store check
        """

    private func folder() throws -> BuildFolder {
        let folder = try BuildFolder(
            """
            FROM scratch
            COPY busybox /bin/sh
            RUN echo hi > /hi
            RUN set -e; i=0; while [ $i -lt 3000 ]; do echo $i$i$i$i$i$i$i$i$i$i$i$i$i$i$i$i$i$i$i; i=$((i+1)); done > /big
            RUN while read line; do echo $line$line$line; done < /big > /large
            """)
        try Command([
            "cp", TestHost.find("busybox")!, folder.path + "/busybox",
        ]).run().required()
        chmod(folder.path, 0o755)
        return folder
    }

    @Test(arguments: sizes)
    func `says so with status 74, and goes on when there is room`(kilobytes: Int) throws {
        let (folder, digest) = try (folder(), Self.digest(folder()))
        let directory = try TemporaryDirectory()
        defer { TestHost.remove(directory.path) }
        chmod(directory.path, 0o755)
        var command = Command([
            TestHost.fixture("small_disk.sh"), directory.path, "\(kilobytes)", "bash", "-euc",
            Self.script,
        ])
        command.environment = [
            "DISK": directory.path("disk"), "CONTEXT": folder.path, "LICHEN": LichenProgram.binary,
            "NAME": "lichen-\(UInt64.random(in: 0...UInt64.max))",
        ]
        let outcome = try command.run().required()
        let text = outcome.text
        // A command that meets the end of the disk itself fails by itself.
        let isRefused = text.contains("status 74") || text.contains("the command failed")
        #expect(isRefused || text.contains("status 0"), "\(outcome)")
        if text.contains("status 74") {
            #expect(text.lowercased().contains("no space left on device"), "\(outcome)")
        }
        #expect(!text.contains("damaged") && text.contains("left 0"), "\(outcome)")
        // Who has no room can make some.
        #expect(text.contains("full: removed"), "\(outcome)")
        #expect(text.contains(digest), "another image than with room: \(outcome)")
    }

    private static func digest(_ folder: BuildFolder) throws -> String {
        let program = try LichenProgram()
        return try program.build(folder, [], Example.environment).run().required().text
    }
}

@Suite(.enabled(if: TestHost.allowsSandboxes, needsJudges))
struct `A store that can't be written` {
    @Test(arguments: ["", "blobs/sha256", "work", "steps"])
    func `says so with status 74`(part: String) throws {
        let lichen = try LichenProgram()
        let folder = try BuildFolder("FROM \(Bases.busybox())\nRUN echo > /x\n")
        let path = lichen.store + "/" + part
        if !part.isEmpty { try lichen.run(["images"]).required() }
        chmod(path, 0o500)
        defer { chmod(path, 0o700) }
        let refused = try lichen.build(folder).run()
        #expect(refused.status == 74, "\(refused)")
        #expect(refused.error.contains("ermission denied"), "\(refused)")
        chmod(path, 0o700)
        #expect(try lichen.build(folder).run().isSuccess)
        #expect(try lichen.run(["store", "check"]).isSuccess)
    }
}
