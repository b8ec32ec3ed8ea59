/// `HEALTHCHECK NONE`, or `HEALTHCHECK CMD ...` with its times.
public struct Healthcheck: Sendable, Equatable {
    /// Nil is NONE: the base's check is switched off.
    public var command: CommandForm?
    /// Nanoseconds each; 0 means: not said.
    public var interval: Int64 = 0
    public var timeout: Int64 = 0
    public var startPeriod: Int64 = 0
    public var startInterval: Int64 = 0
    /// 0 means: not said.
    public var retries = 0

    /// The `Test` of the image's config.
    public var test: [String] {
        switch command {
        case nil: ["NONE"]
        case .shell(let text): ["CMD-SHELL", text.text]
        case .exec(let words): ["CMD"] + words.map(\.text)
        }
    }
}
