public import Dockerfile

/// An ignore file says which paths are seen.
extension IgnoreFile: PathFilter {
    public func includes(_ path: [UInt8]) -> Bool { !matches(path) }
}
