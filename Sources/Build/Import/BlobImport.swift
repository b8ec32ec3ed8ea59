import Archive
import Linux
import OCI
import Store
import SystemPackage

/// Takes blobs from elsewhere into a store: each is verified before it has its name, or it is not there.
struct BlobImport: Sendable {
    let store: Store
    let checkCancellation: @Sendable () throws -> Void

    /// Whether the store has the blob. What it has was verified when it came.
    func has(_ blob: Descriptor) throws -> Bool { try store.size(ofBlob: blob.digest) == blob.size }

    /// Copies a file; the kernel does it, and shares the blocks where the file system can. Then the copy is hashed.
    func add(_ blob: Descriptor, copying file: FileDescriptor) throws {
        let size = try ImportError.during("look at \(blob.digest)") { () throws(Errno) in
            try file.status().size
        }
        if size != UInt64(blob.size) {
            throw ImportError(
                .wrongSize("\(blob.digest)", expected: blob.size, actual: Int64(size)))
        }
        let new = try store.newBlob()
        let target = new.file.borrowed
        while true {
            try checkCancellation()
            let count = try during("copy a blob into the store") { () throws(Errno) in
                try file.copyOnce(to: target, atMost: 64 << 20)
            }
            if count == 0 { break }
        }
        let actual = try digest(of: target)
        if actual != blob.digest {
            throw ImportError(.wrongDigest(expected: blob.digest, actual: actual))
        }
        try new.keep(as: blob.digest)
    }

    /// Takes the data of a tar's entry.
    func add(blobOf entry: TarEntry, from tar: TarReader, expected: Digest) throws {
        _ = try add(entry, tar, expected: expected)
    }

    /// Takes a layer out of a tar, and says what came.
    ///
    /// - Parameter expected: any other digest is an error; nil where it is not known before.
    func add(layerOf entry: TarEntry, from tar: TarReader, expected: Digest?) throws -> Descriptor {
        let digest = try add(entry, tar, expected: expected)
        return try layer(digest, size: entry.size)
    }

    private func add(_ entry: TarEntry, _ tar: TarReader, expected: Digest?) throws -> Digest {
        // Nobody writes images with holes, and what has some is not what its name says.
        if entry.regions != nil { throw ImportError(.damaged("a sparse file in the archive")) }
        let new = try store.newBlob()
        let target = new.file.borrowed
        var hash = SHA256()
        while let (_, bytes) = try tar.nextBlock() {
            try checkCancellation()
            hash.update(bytes)
            try during("write a blob to the store") { () throws(Errno) in
                try target.writeFully(bytes)
            }
        }
        let digest = Digest(sha256: hash.finish())
        if let expected, expected != digest {
            throw ImportError(.wrongDigest(expected: expected, actual: digest))
        }
        try new.keep(as: digest)
        return digest
    }

    /// A layer that the store has, under the media type that its first bytes call for.
    func layer(_ digest: Digest, size: Int64) throws -> Descriptor {
        guard let blob = try store.blob(digest) else { throw StoreError(.missingBlob(digest)) }
        var start = [UInt8](repeating: 0, count: 6)
        let source = DescriptorSource(blob.borrowed, length: 6)
        let count = try start.withUnsafeMutableBytes { try source.read(into: $0) }
        let type = try Self.layerType(Array(start[..<count]), of: digest.description)
        return Descriptor(mediaType: type, digest: digest, size: size)
    }

    private static func layerType(_ start: [UInt8], of name: String) throws -> MediaType {
        let compression = start.withUnsafeBytes { Compression.sniff($0) }
        switch compression {
        case .none: return .layer
        case .gzip: return .layerGzip
        case .zstd: return .layerZstd
        case .xz, .bzip2:
            throw ImportError(
                .compression(compression.rawValue, of: name), hint: "save the image again")
        }
    }

    private func digest(of file: FileDescriptor) throws -> Digest {
        var hash = SHA256()
        let source = DescriptorSource(file, offset: 0)
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 20, alignment: 4096)
        defer { buffer.deallocate() }
        while true {
            try checkCancellation()
            let count = try source.read(into: buffer)
            if count == 0 { return Digest(sha256: hash.finish()) }
            hash.update(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
        }
    }
}
