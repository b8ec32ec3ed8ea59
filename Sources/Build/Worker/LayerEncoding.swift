import Archive

/// How new layers are compressed. Layers that exist already, of bases and of cached steps, stay as they are.
public struct LayerEncoding: Sendable, Hashable, Codable {
    public enum Method: String, Sendable, Hashable, Codable, CaseIterable {
        /// Every engine and registry takes it.
        case gzip
        /// Smaller and faster; engines since about 2021 take it.
        case zstd

        public var levels: ClosedRange<Int> {
            switch self {
            case .gzip: 1...12
            case .zstd: 1...19
            }
        }

        public var defaultLevel: Int {
            switch self {
            case .gzip: GzipBlockWriter.defaultLevel
            case .zstd: ZstdWriter.defaultLevel
            }
        }
    }

    public let method: Method
    public let level: Int

    /// - Parameter level: one of `method.levels`, else the value is nil; the default level where none is given.
    public init?(_ method: Method, level: Int? = nil) {
        let level = level ?? method.defaultLevel
        guard method.levels.contains(level) else { return nil }
        self.method = method
        self.level = level
    }

    private init(standard method: Method) {
        self.method = method
        level = method.defaultLevel
    }

    public static let standard = LayerEncoding(standard: .gzip)
}
