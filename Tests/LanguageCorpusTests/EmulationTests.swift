import Dockerfile
import Linux
import OCI
import TestSupport
import Testing

@testable import Build

/// What a build makes of what a host offers for RUNs of other machines.
@Suite struct `Emulation of another machine` {
    /// Three machines that Lichen itself does not run on.
    private static let foreign = ["loong64", "ppc64le", "s390x"]

    private static func entry(_ architecture: String, flags: String = "POCF") throws
        -> ProgramFormat
    {
        let (magic, mask) = try #require(Machine(architecture: architecture)).signature
        func hex(_ bytes: [UInt8]) -> String {
            bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
        }
        return try #require(
            ProgramFormat(
                entry:
                    "enabled\ninterpreter /host/qemu\nflags: \(flags)\noffset 0\nmagic \(hex(magic))\nmask \(hex(mask))\n"
            ))
    }

    private static func offer(
        _ registered: [ProgramFormat] = [], installed: Set<String> = [], obstacle: String? = nil
    ) -> Emulation.Offer {
        Emulation.Offer(
            registered: registered,
            installed: { machine in
                installed.contains(machine.architecture)
                    ? Emulator(architecture: machine.architecture, path: "/bin/q") : nil
            }, obstacle: { obstacle })
    }

    private static func emulators(
        _ platforms: [String], _ offer: @autoclosure () -> Emulation.Offer,
        _ text: String = "FROM scratch AS one\nCOPY a /\nFROM one\nRUN true\nRUN false\n"
    ) throws -> [Emulator] {
        let document = try DockerfileDocument.parse(Array(text.utf8), file: "Dockerfile")
        let request = BuildRequest(context: .directory("."))
        let plans = try platforms.map {
            try Plan(document, request: request, for: Platform(parsing: $0))
        }
        return try Emulation(for: plans, document, offer: offer()).emulators
    }

    private static func refusal(
        _ platforms: [String], _ offer: Emulation.Offer
    ) -> BuildError? {
        #expect(throws: BuildError.self) { try emulators(platforms, offer) }
    }

    @Test func `is not asked for where nothing foreign runs`() throws {
        func unasked() -> Emulation.Offer {
            Issue.record("the host was looked at")
            return Self.offer()
        }
        #expect(try Self.emulators([Platform.host.description], unasked()).isEmpty)
        #expect(try Self.emulators(Self.foreign, unasked(), "FROM scratch\nCOPY a /\n").isEmpty)
    }

    @Test func `is left to the kernel where it has all that is needed`() throws {
        let registered = try Self.foreign.map { try Self.entry($0) }
        let offer = Self.offer(registered, installed: Set(Self.foreign), obstacle: "old")
        #expect(try Self.emulators(Self.foreign, offer).isEmpty)
    }

    @Test func `is registered for all machines where the kernel lacks one`() throws {
        let offer = Self.offer([try Self.entry("loong64")], installed: ["s390x"])
        #expect(
            try Self.emulators(["loong64", "s390x"], offer) == [
                Emulator(architecture: "loong64", path: "/host/qemu"),
                Emulator(architecture: "s390x", path: "/bin/q"),
            ])
        #expect(try Self.emulators(["loong64"], offer).isEmpty)
    }

    @Test func `that opens its program in the image does not count`() throws {
        let offer = Self.offer([try Self.entry("s390x", flags: "POC")])
        #expect(Self.refusal(["s390x"], offer) != nil)
    }

    @Test func `is missed with the line of the first RUN, and the package`() throws {
        let error = try #require(Self.refusal(["ppc64le"], Self.offer()))
        #expect(error.category == .host && error.location == "Dockerfile:4")
        #expect(error.message.contains("RUN for linux/ppc64le needs qemu-ppc64le-static"))
        #expect(error.hint?.contains("apt-get install qemu-user-static") == true)
        let unknown = try #require(Self.refusal(["linux/mips"], Self.offer()))
        #expect(unknown.category == .input && unknown.location == "Dockerfile:4")
    }

    @Test func `is refused in words where the kernel lets nobody register`() throws {
        let offer = Self.offer(installed: ["s390x"], obstacle: "mount binfmt_misc: no")
        let error = try #require(Self.refusal(["s390x"], offer))
        #expect(error.category == .host && error.location == "Dockerfile:4")
        #expect(error.message.contains("mount binfmt_misc: no"))
        #expect(error.hint?.contains("Linux 6.7") == true)
    }
}

@Suite struct `An entry of binfmt_misc` {
    /// As Linux 6.1 prints what Debian's qemu-user-static registers.
    private static let debian = """
        enabled
        interpreter /usr/libexec/qemu-binfmt/s390x-binfmt-P
        flags: POF
        offset 0
        magic 7f454c4602020100000000000000000000020016
        mask ffffffffffffff00fffffffffffffffffffeffff

        """

    private func serves(_ text: String) throws -> Bool {
        let machine = try #require(Machine(architecture: "s390x"))
        return ProgramFormat(entry: text)?.serves(machine) == true
    }

    @Test func `of a package serves its machine and no other`() throws {
        #expect(try serves(Self.debian))
        let entry = try #require(ProgramFormat(entry: Self.debian))
        #expect(entry.interpreter == "/usr/libexec/qemu-binfmt/s390x-binfmt-P")
        #expect(Machine.all.filter { entry.serves($0) }.map(\.architecture) == ["s390x"])
    }

    @Test(arguments: [
        ("enabled", "disabled"), ("flags: POF", "flags: PO"), ("offset 0", "offset 4"),
        ("interpreter /usr", "interpreted /usr"), ("mask ff", "mask fff"), ("0016", "0017"),
        ("magic 7f", "magic xx"), ("magic 7f45", "extension .7f"),
    ])
    func `that is changed serves nothing`(old: String, new: String) throws {
        #expect(try !serves(Self.debian.replacing(old, with: new)))
    }

    @Test func `is found in a directory of them, if binfmt_misc is on`() throws {
        let directory = try TemporaryDirectory()
        try directory.write("status", "enabled\n".utf8)
        try directory.write("qemu-s390x", Self.debian.utf8)
        try directory.write("python", "enabled\ninterpreter /p\nflags: \nextension .py\n".utf8)
        #expect(ProgramFormat.registered(in: directory.path).map(\.flags) == ["POF"])
        try directory.write("status", "disabled\n".utf8)
        #expect(ProgramFormat.registered(in: directory.path).isEmpty)
        #expect(ProgramFormat.registered(in: directory.path("none")).isEmpty)
    }
}

@Suite struct `An installed emulator` {
    @Test func `is a static program for this machine, under either name`() throws {
        let directory = try TemporaryDirectory()
        let machine = try #require(Machine(architecture: "s390x"))
        func found() -> String? {
            // What packages installed is found last.
            Emulator.installed(for: machine, searchPath: "relative:\(directory.path)")?.path
        }
        let busybox = try #require(TestHost.find("busybox"))
        try Command(["cp", "/bin/true", directory.path("qemu-s390x")]).run().required()
        #expect(found()?.hasPrefix(directory.path) != true)
        try Command(["cp", busybox, directory.path("qemu-s390x")]).run().required()
        #expect(found() == directory.path("qemu-s390x"))
        try Command(["ln", "-s", busybox, directory.path("qemu-s390x-static")]).run().required()
        #expect(found() == directory.path("qemu-s390x-static"))
    }
}
