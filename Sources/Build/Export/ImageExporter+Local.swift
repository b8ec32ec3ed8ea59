import Archive

extension ImageExporter {
    /// Writes the image's files into a directory, as this user may have them.
    ///
    /// The directory is new or empty: files of the image among files of somebody else could be told apart by nobody. It keeps its
    /// own mode. What it goes without is told by a notice.
    func writeLocalDirectory(of image: ExportableImage, to path: String) throws {
        _ = try checkBlobs(of: image)
        let output = try OutputDirectory(OutputPath(path))
        if output.state == .filled {
            throw ExportError(.notEmpty(path), hint: "name a new directory, or empty this one")
        }
        let tree = LocalTree(output.descriptor, checkCancellation: checkCancellation)
        try forEachFile(of: image) { entry, walk in try tree.add(entry, walk) }
        try tree.finish()
        try output.commit()
        if let sentence = tree.omissions.sentence(for: path) { notice(sentence) }
    }
}
