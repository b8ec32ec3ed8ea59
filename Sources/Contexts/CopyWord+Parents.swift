public import Dockerfile
public import Layers

extension CopyWord {
    /// A source of `COPY --parents`: directories in front of what it names are kept, those before "/./" are not.
    ///
    /// What follows the pivot is a pattern of the `.dockerignore` kind, so that `**` stands for any number of directories.
    ///
    /// Dockerfile reference, "COPY --parents".
    public init(keepingParents text: String) throws(PatternError) {
        var start = ""
        var rest = text
        if let pivot = text.firstRange(of: "/./") {
            start = String(text[..<pivot.lowerBound])
            rest = String(text[pivot.upperBound...])
        }
        let components = TypedPath(Array(rest.utf8)).components
        var wanted: IgnoreFile?
        if !components.isEmpty {
            let pattern = String(
                decoding: Array(components.joined(separator: [UInt8(ascii: "/")])), as: UTF8.self)
            wanted = try IgnoreFile(patterns: ["**", "!" + pattern])
        }
        self.init(
            text,
            parents: Parents(
                start: start, wanted: wanted,
                isNeeded: !CopyWord.hasWildcards(start) && !CopyWord.hasWildcards(rest)))
    }
}
