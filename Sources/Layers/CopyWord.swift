/// One source of a COPY or ADD, as the instruction means it.
public struct CopyWord: Sendable {
    /// What `--parents` makes of a source.
    public struct Parents: Sendable {
        /// The directory from which on directories are kept; it may have wildcards. Empty for the source's root.
        public var start: String
        /// What is meant below it; nil for everything.
        public var wanted: (any PathFilter)?
        /// Whether it is an error that nothing is there: no part of the word has wildcards.
        public var isNeeded: Bool

        public init(start: String, wanted: (any PathFilter)?, isNeeded: Bool) {
            self.start = start
            self.wanted = wanted
            self.isNeeded = isNeeded
        }
    }

    /// As expanded; messages name it.
    public var text: String
    /// Nil where parents are not kept.
    public var parents: Parents?

    public init(_ text: String, parents: Parents? = nil) {
        self.text = text
        self.parents = parents
    }

    /// Whether a path has a pattern in any of its components.
    public static func hasWildcards(_ path: String) -> Bool {
        path.utf8.split(separator: slash).contains(where: NamePattern.isPattern)
    }
}
