import Archive
import Layers

extension ImageExporter {
    /// Writes the image's files as one tar: owners, modes, attributes and devices as the layers have them, no whiteouts.
    func writeFileArchive(
        of image: ExportableImage, to destination: ImageOutput.Destination
    ) throws {
        _ = try check(image.blobs())
        let output = try OutputFile.open(destination, checkCancellation: checkCancellation)
        let tar = TarWriter(to: output)
        try writeFiles(of: image, below: nil, to: tar)
        try tar.finish()
        try output.commit()
    }

    /// - Parameter directory: what the image's root is called in the tar, which has it in any case; nil for none.
    func writeFiles(
        of image: ExportableImage, below directory: String?, to tar: TarWriter
    ) throws {
        if let directory, try !namesRoot(image) {
            var entry = TarEntry(path: Array(directory.utf8), kind: .directory)
            entry.mode = 0o755
            try tar.begin(entry)
            try tar.end()
        }
        let prefix = directory.map { Array("\($0)/".utf8) } ?? []
        try forEachFile(of: image) { entry, walk in
            var entry = entry
            if entry.kind == .hardLink { entry.linkTarget = prefix + entry.linkTarget }
            // The root's own entry, where a layer has one, comes with its owner and mode.
            let root = directory ?? "."
            entry.path = entry.path.isEmpty ? Array(root.utf8) : prefix + entry.path
            do {
                try Self.write(entry, walk, to: tar)
            } catch let error as ArchiveError {
                throw ExportError(.unwritableFile(entry.path, reason: "\(error)"))
            }
        }
    }

    /// Whether a layer has an entry for the root itself.
    private func namesRoot(_ image: ExportableImage) throws -> Bool {
        try listings(of: image).contains { listing in
            listing.entry(at: .root).map { !$0.isImplied } ?? false
        }
    }

    private static func write(_ entry: TarEntry, _ walk: LayerWalk, to tar: TarWriter) throws {
        guard entry.size <= DecompressionLimits().maximumOutput else {
            throw walk.damage("a file of \(entry.size) bytes")
        }
        try tar.begin(entry)
        var end: Int64 = 0
        while let block = try walk.nextBlock() {
            // A tar of ours has no holes.
            if block.offset > end { try tar.writeZeros(block.offset - end) }
            try tar.write(block.bytes)
            end = block.offset + Int64(block.bytes.count)
        }
        if entry.kind == .file, end < entry.size { try tar.writeZeros(entry.size - end) }
        try tar.end()
    }
}
