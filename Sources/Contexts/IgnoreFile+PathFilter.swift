public import Dockerfile
public import Layers

/// An ignore file says which paths are seen.
extension IgnoreFile: PathFilter {
    public func includes(_ path: [UInt8]) -> Bool { !matches(path) }
}
