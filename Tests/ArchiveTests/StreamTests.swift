import Archive
import Glibc
import SystemPackage
import Testing

@Suite struct `A hash` {
    @Test(arguments: [
        ("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
        ("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
    ])
    func `is the one of FIPS 180`(text: String, expected: String) {
        let digest = Array(text.utf8).withUnsafeBytes { SHA256.digest(of: $0) }
        #expect(hex(digest) == expected)
    }

    @Test func `does not depend on the pieces`() throws {
        let bytes = Array("a piece of text, and another one".utf8)
        let whole = bytes.withUnsafeBytes { SHA256.digest(of: $0) }
        let source = HashingSource(Dripping(bytes, 3))
        _ = try all(source)
        #expect(source.digest == whole)
        #expect(source.count == Int64(bytes.count))
    }
}

@Suite struct `A source that reads ahead` {
    @Test(arguments: [0, 1, 4095, 4096, 4097, 1_000_000])
    func `gives the same bytes`(count: Int) throws {
        var noise = Noise(5)
        let bytes = noise.text(count)
        let source = ReadAhead(MemorySource(bytes), buffers: 3, size: 4096)
        #expect(try all(source, piece: 1000) == bytes)
        let chunks = ReadAhead(Dripping(bytes, 100), buffers: 3, size: 4096)
        var got: [UInt8] = []
        while case let chunk = try chunks.nextChunk(), !chunk.isEmpty { got += chunk }
        #expect(got == bytes)
    }

    @Test func `gives the bytes before an error, then the error`() throws {
        struct Broken: Error {}
        final class Breaking: ByteSource {
            var left = 5000
            func read(into buffer: UnsafeMutableRawBufferPointer) throws -> Int {
                if left == 0 { throw Broken() }
                let count = min(left, buffer.count)
                left -= count
                return count
            }
        }
        let source = ReadAhead(Breaking(), size: 1000)
        var count = 0
        #expect(throws: Broken.self) {
            while case let chunk = try source.nextChunk(), !chunk.isEmpty { count += chunk.count }
        }
        #expect(count == 5000)
    }

    @Test func `ends its thread when it is dropped early`() throws {
        let endless = Endless()
        for pieces in 0..<4 {
            let source = ReadAhead(endless, buffers: 2, size: 4096)
            for _ in 0..<pieces { _ = try source.nextChunk() }
        }
        // The source is ours again: nobody else asks it.
        let before = endless.reads
        usleep(20_000)
        #expect(endless.reads == before)
    }

    @Test func `feeds a tar whose headers straddle its buffers`() throws {
        let written = (0..<200).map { index in
            file("name-\(index)", [UInt8](repeating: UInt8(index), count: index * 13))
        }
        let bytes = try tar(written)
        for size in [512, 1000, 4096, 777] {
            let reader = TarReader(ReadAhead(MemorySource(bytes), size: size))
            for (entry, data) in written {
                #expect(try reader.next() == entry)
                #expect(try reader.data(of: entry, limit: 10000) == data)
            }
            #expect(try reader.next() == nil)
        }
    }

    private final class Endless: ByteSource {
        var reads = 0
        func read(into buffer: UnsafeMutableRawBufferPointer) -> Int {
            reads += 1
            return buffer.count
        }
    }
}

@Suite struct `A limited source` {
    @Test func `is an error when more comes than allowed`() throws {
        let bytes = [UInt8](repeating: 1, count: 100)
        #expect(try all(LimitedSource(MemorySource(bytes), limit: 100)) == bytes)
        #expect(
            problem { _ = try all(LimitedSource(MemorySource(bytes), limit: 99)) }
                == .limit("bytes", 99))
    }
}

@Suite struct `A descriptor source` {
    @Test func `heeds offset and length, and leaves the file where it stands`() throws {
        let scratch = Scratch()
        let path = try scratch.file("x", Array(0...255))
        let descriptor = try FileDescriptor.open(FilePath(path), .readOnly)
        try descriptor.closeAfter { () throws in
            #expect(
                try all(DescriptorSource(descriptor, offset: 10, length: 5)) == [
                    10, 11, 12, 13, 14,
                ])
            #expect(try all(DescriptorSource(descriptor, length: 2)) == [0, 1])
            #expect(try all(DescriptorSource(descriptor, offset: 254)) == [254, 255])
            #expect(try all(DescriptorSource(descriptor)).count == 254)
        }
    }
}
