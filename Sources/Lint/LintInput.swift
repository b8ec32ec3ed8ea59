public import Dockerfile

/// A Dockerfile, and what is known of the build that it is for.
public struct LintInput: Sendable {
    public var document: DockerfileDocument
    /// Of the command line.
    public var buildArguments: [String: String] = [:]
    /// What needs no ARG in FROM, as `TARGETPLATFORM`.
    public var predefined: [String: String] = [:]
    /// Stages that a build would carry out; nil for all.
    public var stages: Set<Int>?
    /// Nil where there is no ignore file, or no context.
    public var ignored: IgnoreFile?
    /// Base images that are known, by the index of the stage.
    public var bases: [Int: LintBase] = [:]
    /// In place of the file's own `# check=`.
    public var check: CheckOptions?
    public var names: LintNames

    public init(_ document: DockerfileDocument, names: LintNames) {
        self.document = document
        self.names = names
    }

    /// Which rules the whole file is measured by.
    public var options: CheckOptions { check ?? document.check }
}

/// What counts of a base image.
public struct LintBase: Sendable, Equatable {
    public var environment: [String: String]
    /// Its config says how shell forms are run.
    public var hasShell: Bool
    public var platform: LintPlatform

    public init(environment: [String: String], hasShell: Bool, platform: LintPlatform) {
        self.environment = environment
        self.hasShell = hasShell
        self.platform = platform
    }
}

/// An operating system and a processor.
public struct LintPlatform: Sendable, Equatable {
    public var os: String
    public var architecture: String

    public init(os: String, architecture: String) {
        self.os = os
        self.architecture = architecture
    }
}

/// How words of images are read. It is told, for this module knows Dockerfiles only.
public struct LintNames: Sendable {
    public var isReference: @Sendable (String) -> Bool
    /// Nil for what is no platform.
    public var platform: @Sendable (String) -> LintPlatform?

    public init(
        isReference: @escaping @Sendable (String) -> Bool,
        platform: @escaping @Sendable (String) -> LintPlatform?
    ) {
        self.isReference = isReference
        self.platform = platform
    }
}
