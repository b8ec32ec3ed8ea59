import Archive
import Linux
import OCI

extension ImageExporter {
    /// Writes an OCI layout of one image, or of one index, as a tar: the same content and names give the same bytes.
    ///
    /// OCI image-spec v1.1, image-layout.md; the order lets a reader see what it gets before the layers come.
    func writeLayoutArchive(
        of top: Descriptor, _ blobs: [Descriptor], named references: [Reference],
        to destination: ImageOutput.Destination
    ) throws {
        var index = LayoutIndex()
        try index.add(top, named: references)
        let output = try OutputFile.open(destination, checkCancellation: checkCancellation)
        let tar = TarWriter(to: output)
        try writeLayoutContent(index, blobs, to: tar)
        try tar.finish()
        try output.commit()
    }

    /// All files of a layout: its marker and index, then the blobs.
    func writeLayoutContent(
        _ index: LayoutIndex, _ blobs: [Descriptor], to tar: TarWriter
    ) throws {
        try write(Self.layoutFile, as: "oci-layout", to: tar)
        try write(try index.encoded(), as: "index.json", to: tar)
        for name in ["blobs", "blobs/sha256"] {
            var entry = TarEntry(path: Array(name.utf8), kind: .directory)
            entry.mode = 0o755
            try tar.begin(entry)
            try tar.end()
        }
        for blob in blobs {
            let source = try open(blob)
            try tar.begin(Self.entry("blobs/sha256/\(blob.digest.hex)", size: blob.size))
            try tar.writeContents(of: source.borrowed)
            try tar.end()
        }
    }

    func write(_ bytes: [UInt8], as name: String, to tar: TarWriter) throws {
        try tar.begin(Self.entry(name, size: Int64(bytes.count)))
        try bytes.withUnsafeBytes { try tar.write($0) }
        try tar.end()
    }

    private static func entry(_ name: String, size: Int64) -> TarEntry {
        var entry = TarEntry(path: Array(name.utf8), kind: .file)
        entry.mode = 0o644
        entry.size = size
        return entry
    }
}
