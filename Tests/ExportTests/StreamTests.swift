import Build
import Glibc
import Linux
import OCI
import Store
import SystemPackage
import Testing

@Suite struct `An output` {
    private static let toStandardOutput = ImageOutput(
        kind: .oci, destination: .standardOutput, isTar: true)

    @Test func `goes to standard output, and nothing else does`() async throws {
        let result = await #expect(
            processExitsWith: .success, observing: [\.standardOutputContent]
        ) {
            let maker = try ImageMaker()
            let image = try maker.image([[.file("a", "1")]])
            try ImageExporter(store: maker.store).export(image, to: Self.toStandardOutput)
        }
        let scratch = Scratch()
        let bytes = try #require(result).standardOutputContent
        let file = try FileDescriptor.workingDirectory.open(
            scratch["image.tar"], [.writeOnly, .create], mode: 0o600, resolve: .system)
        // The tests' own runner may say something before and after.
        let start = bytes.indices.first { bytes[$0...].starts(with: "oci-layout\0".utf8) }
        try file.borrowed.writeFully(Array(bytes[try #require(start)...]))
        let names = Tool.run("tar", "tf", scratch["image.tar"]).lines
        #expect(names.prefix(2) == ["oci-layout", "index.json"])
    }

    @Test func `is refused where standard output is a terminal`() async throws {
        await #expect(processExitsWith: .success) {
            dup2(open("/dev/ptmx", O_RDWR | O_NOCTTY), STDOUT_FILENO)
            try #require(isatty(STDOUT_FILENO) == 1)
            let maker = try ImageMaker()
            let image = try maker.image([[.file("a", "1")]])
            for kind in [ImageOutput.Kind.oci, .tar] {
                let output = ImageOutput(kind: kind, destination: .standardOutput, isTar: true)
                let error = #expect(throws: ExportError.self) {
                    try ImageExporter(store: maker.store).export(image, to: output)
                }
                try #require(error?.problem == .terminal)
            }
        }
    }

    @Test func `to a full device is an error`() throws {
        let maker = try ImageMaker()
        let image = try maker.image([[.file("a", "1")]])
        for kind in [ImageOutput.Kind.oci, .tar] {
            let error = #expect(throws: ExportError.self) {
                try ImageExporter(store: maker.store).export(
                    image, to: ImageOutput(kind: kind, destination: .path("/dev/full"), isTar: true)
                )
            }
            #expect(
                error?.problem == .system(SystemError("write /dev/full", .noSpace)))
        }
    }

    @Test func `into one layout by many at once keeps every name`() async throws {
        let maker = try ImageMaker()
        let path = maker.scratch["layout"]
        let exporter = ImageExporter(store: maker.store)
        let first = try maker.image([[.file("a", "1")]])
        let output = ImageOutput(kind: .oci, destination: .path(path), isTar: false)
        try exporter.export(first, to: output)
        let images = try (0..<8).map { try maker.image([[.file("a", "\($0)")]]) }
        try await withThrowingTaskGroup(of: Void.self) { group in
            for (number, image) in images.enumerated() {
                group.addTask {
                    try await blocking {
                        try exporter.export(
                            image, to: output, as: [try Reference(parsing: "x:\(number)")])
                    }
                }
            }
            try await group.waitForAll()
        }
        for (number, image) in images.enumerated() {
            let inspected = Tool.run("skopeo", "inspect", "oci:\(path):\(number)")
            #expect(inspected.text.contains(image.manifest.digest.description))
        }
        #expect(Tool.run("ls", "-A", path).lines == ["blobs", "index.json", "oci-layout"])
    }

    @Test(arguments: ["", "a\0b", "/"])
    func `needs a usable name`(path: String) throws {
        let maker = try ImageMaker()
        let image = try maker.image([[.file("a", "1")]])
        for kind in ImageOutput.Kind.allCases where kind != .tar {
            #expect(throws: ExportError.self) {
                try ImageExporter(store: maker.store).export(
                    image, to: ImageOutput(kind: kind, destination: .path(path), isTar: false))
            }
        }
    }
}
