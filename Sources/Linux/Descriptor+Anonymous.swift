import CShims
public import SystemPackage

/// A file without a name, in memory, that holds `bytes` and stands at its start; memfd_create(2).
public func anonymousFile(holding bytes: [UInt8]) throws(Errno) -> OwnedDescriptor {
    let file = OwnedDescriptor(owning: try Errno.check(sbx_memfd("lichen")))
    try file.borrowed.writeFully(bytes)
    try file.borrowed.seekAbsolutely(to: 0)
    return file
}

/// A file of zeros without a name, in memory, that nobody can make larger: for the words of a program that is not waited for.
public func anonymousFile(ofSize size: Int) throws(Errno) -> OwnedDescriptor {
    OwnedDescriptor(owning: try Errno.check(sbx_memfd_of_size("lichen", Int64(size))))
}
