import Archive

extension ImageExporter {
    /// Writes the image's files as one tar: owners, modes, attributes and devices as the layers have them, no whiteouts.
    func writeFileArchive(
        of image: ExportableImage, to destination: ImageOutput.Destination
    ) throws {
        _ = try checkBlobs(of: image)
        let output = try OutputFile.open(destination, checkCancellation: checkCancellation)
        let tar = TarWriter(to: output)
        try forEachFile(of: image) { entry, walk in
            var entry = entry
            if entry.path.isEmpty { entry.path = Array(".".utf8) }
            do {
                try Self.write(entry, walk, to: tar)
            } catch let error as ArchiveError {
                throw ExportError(.unwritableFile(entry.path, reason: "\(error)"))
            }
        }
        try tar.finish()
        try output.commit()
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
