/// What COPY and ADD take, and where they put it.
public struct Sources: Sendable, Equatable {
    public var paths: [Word]
    /// Files whose content stands in the Dockerfile; they come after the paths.
    public var heredocs: [Heredoc]
    public var destination: Word
    /// Written as a JSON array.
    public var isJSON: Bool
}

/// `COPY`, with its flags.
public struct CopyInstruction: Sendable, Equatable {
    public var sources: Sources
    /// A stage by name or number, a named context, or an image. Never expanded.
    public var from: Word?
    public var owner: Word?
    public var mode: Word?
    public var isLinked = false
    public var keepsParents = false
    public var excludes: [Word] = []
}

/// `ADD`, with its flags.
public struct AddInstruction: Sendable, Equatable {
    public var sources: Sources
    public var owner: Word?
    public var mode: Word?
    public var isLinked = false
    public var excludes: [Word] = []
    public var checksum: Word?
    /// Nil if it was not said.
    public var keepsGitDirectory: Bool?
    /// Nil if it was not said: local archives are unpacked then, remote ones are not.
    public var unpacks: Bool?
}
