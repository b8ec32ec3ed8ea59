/// Which paths are seen at all: what an ignore file leaves of a build context, what `--exclude` leaves of a source.
///
/// Paths are relative to whatever is filtered, without a slash at either end.
public protocol PathFilter: Sendable {
    func includes(_ path: [UInt8]) -> Bool
    /// Whether something below a directory may be included that is not included itself. True when in doubt.
    func mayInclude(below directory: [UInt8]) -> Bool
}
