import Dockerfile

extension BuildError {
    /// An error of an instruction, with its place in the Dockerfile and the lines there.
    init(
        _ category: Category, _ message: String, at range: SourceRange,
        in document: DockerfileDocument, hint: String? = nil
    ) {
        self.init(category, message, hint: hint)
        place(at: range, document)
    }

    /// Says where in the Dockerfile it is.
    mutating func place(at range: SourceRange, _ document: DockerfileDocument) {
        location = "\(document.source.file):\(range.start.line)"
        excerpt = document.source.excerpt(range)
    }
}
