import Archive
import SystemPackage

extension ImageExporter {
    /// Writes the image's files into a directory, as this user may have them.
    ///
    /// The directory is new or empty: files of the image among files of somebody else could be told apart by nobody. It keeps its
    /// own mode. What it goes without is told by a notice.
    func writeLocalDirectory(of image: ExportableImage, to path: String) throws {
        _ = try check(image.blobs())
        let output = try OutputDirectory(OutputPath(path))
        if output.state == .filled { throw Self.notEmpty(path) }
        let sentence = try writeFiles(of: image, in: output.descriptor, path)
        try output.commit()
        if let sentence { notice(sentence) }
    }

    static func notEmpty(_ path: String) -> ExportError {
        ExportError(.notEmpty(path), hint: "name a new directory, or empty this one")
    }

    /// - Returns: what the directory goes without, in words.
    func writeFiles(
        of image: ExportableImage, in directory: FileDescriptor, _ pathForMessages: String
    ) throws -> String? {
        let tree = LocalTree(directory, checkCancellation: checkCancellation)
        try forEachFile(of: image) { entry, walk in try tree.add(entry, walk) }
        try tree.finish()
        return tree.omissions.sentence(for: pathForMessages)
    }
}
