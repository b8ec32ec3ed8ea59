import Archive
import Build
import Linux
import OCI
import Store
import SystemPackage

/// Makes images by hand in a store of its own, entry by entry.
final class ImageMaker {
    let scratch = Scratch()
    let store: Store

    init() throws { store = try Store(path: scratch["store"]) }

    /// Packs entries as a layer and keeps its blob. Its listing is left to whoever needs it.
    func layer(
        _ entries: [Entry], compression: Archive.LayerCompression = .standard
    ) throws -> LayerRecord {
        let blob = try store.newBlob()
        let packer = try LayerCompressor(kind: compression, threads: 1, to: blob.file.borrowed)
        let tar = TarWriter(to: packer)
        for entry in entries { try entry.write(to: tar) }
        try tar.finish()
        let result = packer.result
        let digest = Digest(sha256: result.digest)
        try blob.keep(as: digest)
        let type: MediaType =
            switch compression {
            case .gzip: .layerGzip
            case .zstd: .layerZstd
            case .none: .layer
            }
        return LayerRecord(
            diffID: Digest(sha256: result.diffID),
            blob: Descriptor(mediaType: type, digest: digest, size: result.size))
    }

    /// An image of such layers, its manifest and config kept in the store.
    func image(_ layers: [LayerRecord], comment: String = "") throws -> ExportableImage {
        var config = ImageConfig(platform: .host)
        config.diffIDs = layers.map(\.diffID)
        config.history = layers.map { _ in History(createdBy: "by hand", comment: comment) }
        config.created = Timestamp(secondsSinceEpoch: 1_700_000_000)
        config.config.cmd = ["/bin/sh"]
        let configBytes = config.encoded()
        let configDescriptor = try keep(configBytes, .config)
        let manifestBytes = Manifest(config: configDescriptor, layers: layers.map(\.blob)).encoded()
        return ExportableImage(
            manifest: try keep(manifestBytes, .manifest), manifestBytes: manifestBytes,
            configBytes: configBytes, layers: layers)
    }

    func image(_ layers: [[Entry]], comment: String = "") throws -> ExportableImage {
        try image(layers.map { try layer($0) }, comment: comment)
    }

    func keep(_ bytes: [UInt8], _ type: MediaType) throws -> Descriptor {
        let digest = Digest(sha256: bytes.withUnsafeBytes { SHA256.digest(of: $0) })
        try store.keepDocument(bytes, digest: digest)
        return Descriptor(mediaType: type, digest: digest, size: Int64(bytes.count))
    }
}

/// One entry of a layer's tar.
struct Entry {
    var header: TarEntry
    var data: [UInt8] = []

    func write(to tar: TarWriter) throws {
        try tar.begin(header)
        try data.withUnsafeBytes { try tar.write($0) }
        try tar.end()
    }

    static func file(_ path: String, _ text: String = "", mode: UInt16 = 0o644) -> Entry {
        file(Array(path.utf8), text, mode: mode)
    }

    static func file(_ path: [UInt8], _ text: String = "", mode: UInt16 = 0o644) -> Entry {
        var entry = Entry(header: TarEntry(path: path, kind: .file), data: Array(text.utf8))
        entry.header.mode = mode
        entry.header.size = Int64(entry.data.count)
        entry.header.modified.seconds = 1_600_000_000
        return entry
    }

    static func directory(_ path: String, mode: UInt16 = 0o755) -> Entry {
        special(path, .directory, mode: mode)
    }

    static func symlink(_ path: String, to target: String) -> Entry {
        var entry = special(path, .symlink, mode: 0o777)
        entry.header.linkTarget = Array(target.utf8)
        return entry
    }

    static func hardLink(_ path: String, to target: String) -> Entry {
        var entry = special(path, .hardLink, mode: 0o644)
        entry.header.linkTarget = Array(target.utf8)
        return entry
    }

    static func whiteout(_ path: String) -> Entry { special(path, .file, mode: 0) }

    static func device(_ path: String, _ major: UInt32, _ minor: UInt32) -> Entry {
        var entry = special(path, .characterDevice, mode: 0o666)
        (entry.header.major, entry.header.minor) = (major, minor)
        return entry
    }

    static func special(_ path: String, _ kind: TarEntry.Kind, mode: UInt16) -> Entry {
        var entry = Entry(header: TarEntry(path: Array(path.utf8), kind: kind))
        entry.header.mode = mode
        entry.header.modified.seconds = 1_600_000_000
        return entry
    }

    func owned(by uid: UInt32, _ gid: UInt32) -> Entry {
        var entry = self
        (entry.header.uid, entry.header.gid) = (uid, gid)
        return entry
    }

    func with(attribute name: String, _ value: [UInt8]) -> Entry {
        var entry = self
        entry.header.xattrs.append(TarEntry.Xattr(name: Array(name.utf8), value: value))
        return entry
    }
}
