import Archive
import Linux
import OCI
import SystemPackage

extension FileDescriptor {
    /// The SHA-256 of what is left of this file.
    func contentDigest(_ buffer: UnsafeMutableRawBufferPointer) throws(Errno) -> Digest {
        var hash = SHA256()
        while true {
            let count = try readOnce(into: buffer)
            if count == 0 { return Digest(sha256: hash.finish()) }
            hash.update(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
        }
    }
}
