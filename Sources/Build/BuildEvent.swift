public import OCI

/// What happens in a build, for whoever shows it. Foreign text in it is raw bytes: the one who prints makes it harmless.
public enum BuildEvent: Sendable {
    /// Numbers a step among all of the build; `line` is the Dockerfile's.
    public struct Step: Sendable, Hashable {
        public var number: Int
        public var total: Int
        public var line: Int
        /// The stage's name, or "stage-2"; empty where the Dockerfile has one stage.
        public var stage: String
        /// As written, on one line.
        public var text: String
        /// What it is carried out for, where a build is for several platforms; else empty.
        public var platform: String

        public init(
            number: Int, total: Int, line: Int, stage: String, text: String, platform: String = ""
        ) {
            self.number = number
            self.total = total
            self.line = line
            self.stage = stage
            self.text = text
            self.platform = platform
        }
    }

    /// A transfer of one blob.
    public struct Transfer: Sendable, Hashable {
        public enum Direction: String, Sendable { case download, upload }
        public var direction: Direction
        public var digest: Digest
        public var size: Int64

        public init(direction: Direction, digest: Digest, size: Int64) {
            self.direction = direction
            self.digest = digest
            self.size = size
        }
    }

    case stepStarted(Step)
    /// A piece of what a RUN wrote, as it came: not always whole lines.
    case stepOutput(Step, [UInt8])
    /// The store had it: nothing was started.
    case stepCached(Step)
    /// `seconds` since its start. Where `isPacking`, it made a layer, which is packed beside the next steps.
    case stepDone(Step, seconds: Double, isPacking: Bool)
    /// The layer that a done step made is in the store; `size` is that of its blob.
    case layerPacked(Step, digest: Digest, size: Int64)
    case stepFailed(Step)
    /// It was stopped, because another step failed or somebody interrupted the build.
    case stepCancelled(Step)
    case transferStarted(Transfer)
    case transferProgress(Transfer, bytes: Int64)
    /// False where the registry had the blob already.
    case transferDone(Transfer, moved: Bool, seconds: Double)
    /// A sentence worth reading: a degraded mode, something left out of an output.
    case notice(String)
    case warning(String)
}

/// Where events go. Called from many threads.
public typealias BuildObserver = @Sendable (BuildEvent) -> Void
