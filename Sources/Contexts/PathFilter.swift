/// Which paths of a build context are seen at all: what an ignore file leaves.
///
/// Paths are relative to the context, without a slash at either end.
public protocol PathFilter: Sendable {
    func includes(_ path: [UInt8]) -> Bool
    /// Whether something below a directory may be included that is not included itself. True when in doubt.
    func mayInclude(below directory: [UInt8]) -> Bool
}
