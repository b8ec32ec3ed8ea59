import Archive
import Linux
public import OCI
import SystemPackage

extension ImageExporter {
    /// Carries out one `--output` of images for several platforms. Blocks, as the one for a single image.
    ///
    /// - Throws: `ExportError`, or what `checkCancellation` threw. A docker archive has no place for an index.
    public func export(
        _ index: ExportableIndex, to output: ImageOutput, as references: [Reference] = []
    ) throws {
        let blobs = try check(index.blobs())
        switch (output.kind, output.isTar, output.destination) {
        case (.oci, false, .path(let path)):
            try writeLayout(of: index.descriptor, blobs, named: references, to: path)
        case (.oci, _, let destination):
            try writeLayoutArchive(of: index.descriptor, blobs, named: references, to: destination)
        case (.docker, _, _):
            throw ExportError(
                .severalPlatforms, hint: "type=oci holds an index; or build for one platform")
        case (.tar, _, let destination): try writeFileArchive(of: index, to: destination)
        case (.local, _, .path(let path)): try writeLocalDirectory(of: index, to: path)
        case (.local, _, .standardOutput):
            throw ExportError(.unusableDestination("-"), hint: "name a directory")
        }
    }

    /// One tar, with a directory for each platform.
    private func writeFileArchive(
        of index: ExportableIndex, to destination: ImageOutput.Destination
    ) throws {
        let output = try OutputFile.open(destination, checkCancellation: checkCancellation)
        let tar = TarWriter(to: output)
        for part in index.parts { try writeFiles(of: part.image, below: part.directory, to: tar) }
        try tar.finish()
        try output.commit()
    }

    /// A directory for each platform, in one that is new or empty.
    private func writeLocalDirectory(of index: ExportableIndex, to path: String) throws {
        let output = try OutputDirectory(OutputPath(path))
        if output.state == .filled { throw Self.notEmpty(path) }
        var sentences: [String] = []
        for part in index.parts {
            let place = "\(path)/\(part.directory)"
            let directory = try ExportError.during("make \(place)") { () throws(Errno) in
                try output.descriptor.makeDirectory(part.directory.utf8, mode: 0o777)
                return try output.descriptor.open(
                    part.directory, [.readOnly, .directory, .noFollow])
            }
            if let sentence = try writeFiles(of: part.image, in: directory.borrowed, place) {
                sentences.append(sentence)
            }
        }
        try output.commit()
        for sentence in sentences { notice(sentence) }
    }
}
