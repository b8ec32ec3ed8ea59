/// What a RUN's process sees and may do; all of it goes into the step's cache key.
public struct StepCommand: Sendable {
    public enum Network: String, Sendable, Codable, CaseIterable {
        case host, none
        /// A network namespace of its own, whose packets a `NetworkHelper` carries.
        case `private`
    }

    public var arguments, environment: [[UInt8]]
    public var workingDirectory: [UInt8]
    /// As USER has it; empty means root.
    public var user: String
    public var network: Network
    /// What the RUN mounts itself, beside what every RUN has.
    public var mounts: [StepMount]
    /// The name of the host; the same everywhere, so that it can't be read into an image.
    public var hostname = "lichen"

    public init(
        arguments: [[UInt8]], environment: [[UInt8]], workingDirectory: [UInt8], user: String,
        network: Network, mounts: [StepMount] = []
    ) {
        self.mounts = mounts
        self.arguments = arguments
        self.environment = environment
        self.workingDirectory = workingDirectory
        self.user = user
        self.network = network
    }
}
