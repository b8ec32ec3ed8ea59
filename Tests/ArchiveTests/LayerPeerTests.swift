import Archive
import Glibc
import SystemPackage
import Testing

@Suite struct `A layer of ours` {
    /// umoci checks both digests, and reads with Go's gzip and tar.
    @Test(.enabled(if: Tool.run("umoci", "--version").status == 0, "umoci is not installed"))
    func `is unpacked by umoci to the same bytes`() throws {
        let odd: [UInt8] = [0x6e, 0xff, 0xfe]
        var noise = Noise(23)
        let written = [
            file("plain", noise.text(1_500_000)), file("caf\u{e9}", [1]),
            file("cafe\u{301}", [2]), file(odd, [3]),
            file(odd + [UInt8](repeating: 0xfe, count: 200), [4]),
            file(String(repeating: "d/", count: 400) + "deep", [5]),
        ].map { entry, data in
            var entry = entry
            entry.uid = getuid()
            entry.gid = getgid()
            return (entry: entry, data: data)
        }
        let scratch = Scratch()
        try layout(in: scratch, with: tar(written))
        let unpacked = Tool.run(
            ["umoci", "raw", "unpack"] + (getuid() == 0 ? [] : ["--rootless"])
                + ["--image", "\(scratch.path):x", "\(scratch.path)/tree"])
        #expect(unpacked.status == 0, "\(unpacked.text)")
        for (entry, data) in written {
            let path = Array("\(scratch.path)/tree/".utf8) + entry.path + [0]
            let raw = path.withUnsafeBufferPointer {
                $0.withMemoryRebound(to: CChar.self) { open($0.baseAddress!, O_RDONLY) }
            }
            try #require(raw >= 0, "\(String(decoding: path, as: UTF8.self)) is missing")
            defer { close(raw) }
            #expect(try all(DescriptorSource(FileDescriptor(rawValue: raw))) == data)
        }
    }

    @Test(arguments: [LayerCompression.standard, .zstd(level: 3), .none])
    func `is read with the digests it was written with`(kind: LayerCompression) throws {
        var noise = Noise(29)
        let written = (0..<40).map { file("f\($0)", noise.text($0 * 10_000)) }
        let scratch = Scratch()
        let blob = try scratch.file("blob")
        let descriptor = try FileDescriptor.open(FilePath(blob), .readWrite)
        defer { close(descriptor.rawValue) }
        let compressor = try LayerCompressor(kind: kind, threads: 2, to: descriptor)
        let writer = TarWriter(to: compressor)
        for (entry, data) in written {
            try writer.begin(entry)
            try data.withUnsafeBytes { try writer.write($0) }
            try writer.end()
        }
        try writer.finish()
        let reader = try LayerReader(DescriptorSource(descriptor, offset: 0))
        for (entry, data) in written.prefix(30) {
            #expect(try reader.tar.next() == entry)
            #expect(try reader.tar.data(of: entry, limit: 1 << 20) == data)
        }
        #expect(try reader.finish() == compressor.result)
        // Given up early, with its thread still reading.
        _ = try LayerReader(DescriptorSource(descriptor, offset: 0)).tar.next()
    }

    @Test func `passes through with fixed memory`() async {
        await #expect(processExitsWith: .success) {
            let megabyte = 1 << 20
            var noise = Noise(31)
            let piece = noise.text(megabyte / 4)
            var entry = file("big").entry
            entry.size = Int64(200 * megabyte)
            let scratch = Scratch()
            let blob = try scratch.file("blob")
            let descriptor = try FileDescriptor.open(FilePath(blob), .readWrite)
            for kind in [LayerCompression.standard, .zstd(level: 3)] {
                try descriptor.resize(to: 0)
                try descriptor.seek(offset: 0, from: .start)
                let compressor = try LayerCompressor(kind: kind, threads: 2, to: descriptor)
                let writer = TarWriter(to: compressor)
                try writer.begin(entry)
                for _ in 0..<800 { try piece.withUnsafeBytes { try writer.write($0) } }
                try writer.end()
                try writer.finish()
                let reader = try LayerReader(DescriptorSource(descriptor, offset: 0))
                #expect(try reader.finish() == compressor.result)
            }
            let status = try FileDescriptor.open("/proc/self/status", .readOnly)
            let lines = String(decoding: try all(DescriptorSource(status)), as: UTF8.self)
            let peak = lines.split(separator: "\n").first { $0.hasPrefix("VmHWM:") }
            let kilobytes = peak?.split(separator: " ").dropLast().last.flatMap { Int($0) }
            #expect((kilobytes ?? .max) < 160 * 1024)
            if (kilobytes ?? .max) >= 160 * 1024 { exit(1) }
        }
    }

    /// An OCI layout of one image, with `tar` as its only layer.
    private func layout(in scratch: Scratch, with tar: [UInt8]) throws {
        mkdir(scratch.path + "/blobs", 0o755)
        mkdir(scratch.path + "/blobs/sha256", 0o755)
        let blob = try scratch.file("blob")
        let descriptor = try FileDescriptor.open(FilePath(blob), .writeOnly)
        let layer = try descriptor.closeAfter { () throws in
            let compressor = try LayerCompressor(threads: 2, to: descriptor)
            try tar.withUnsafeBytes { try compressor.write($0) }
            try compressor.finish()
            return compressor.result
        }
        rename(blob, "\(scratch.path)/blobs/sha256/\(hex(layer.digest))")
        let config = try add(
            """
            {"architecture":"amd64","os":"linux","config":{},
             "rootfs":{"type":"layers","diff_ids":["sha256:\(hex(layer.diffID))"]}}
            """, "application/vnd.oci.image.config.v1+json", scratch)
        let manifest = try add(
            """
            {"schemaVersion":2,"config":{\(config)},"layers":[{
             "mediaType":"application/vnd.oci.image.layer.v1.tar+gzip",
             "digest":"sha256:\(hex(layer.digest))","size":\(layer.size)}]}
            """, "application/vnd.oci.image.manifest.v1+json", scratch)
        let index = """
            {"schemaVersion":2,"manifests":[{\(manifest),
             "annotations":{"org.opencontainers.image.ref.name":"x"}}]}
            """
        _ = try scratch.file("index.json", Array(index.utf8))
        _ = try scratch.file("oci-layout", Array(#"{"imageLayoutVersion":"1.0.0"}"#.utf8))
    }

    /// Adds a blob and returns the members of its descriptor.
    private func add(_ json: String, _ type: String, _ scratch: Scratch) throws -> String {
        let bytes = Array(json.utf8)
        let digest = hex(bytes.withUnsafeBytes { SHA256.digest(of: $0) })
        _ = try scratch.file("blobs/sha256/\(digest)", bytes)
        return #""mediaType":"\#(type)","digest":"sha256:\#(digest)","size":\#(bytes.count)"#
    }
}
