public import SystemPackage

/// Paths that a sandbox hides or makes read-only.
public struct ProtectedPaths: Equatable, Sendable {
    /// Look empty. A path that doesn't exist needs no mask.
    public var masked: [FilePath]
    public var readOnly: [FilePath]

    public init(masked: [FilePath], readOnly: [FilePath]) {
        self.masked = masked
        self.readOnly = readOnly
    }

    /// Reads `{"masked": [{"path": ..., "comment": ...}], "readOnly": [...]}`.
    ///
    /// Paths are absolute and plain: no `.`, no `..`, no doubled slash, none twice.
    public init(parsing bytes: [UInt8], named source: String) throws(PolicyError) {
        var fields = try FieldReader(
            JSONNode(parsing: bytes, source: source), at: Place(source: source))
        _ = try fields.string("comment")
        masked = try Self.paths("masked", of: &fields)
        readOnly = try Self.paths("readOnly", of: &fields)
        try fields.finish()
        for path in readOnly where masked.contains(path) {
            throw PolicyError(
                .contradiction("\(path) is masked and read-only"),
                at: fields.place.field("readOnly"))
        }
    }

    private static func paths(
        _ name: String, of fields: inout FieldReader
    ) throws(PolicyError) -> [FilePath] {
        var paths: [FilePath] = []
        for (node, place) in try fields.array(name) ?? [] {
            var entry = try FieldReader(node, at: place)
            _ = try entry.string("comment")
            guard let text = try entry.string("path") else {
                throw PolicyError(.missing, at: place.field("path"))
            }
            try entry.finish()
            let path = FilePath(text)
            guard path.isAbsolute, !path.components.isEmpty, path.isLexicallyNormal,
                path.string == text, !text.utf8.contains(0)
            else {
                throw PolicyError(
                    .wrongType(expected: "an absolute path without . and .."),
                    at: place.field("path"))
            }
            guard !paths.contains(path) else {
                throw PolicyError(.contradiction("\(path) is given twice"), at: place)
            }
            paths.append(path)
        }
        return paths
    }
}
