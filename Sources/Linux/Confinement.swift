import CShims
public import SystemPackage

/// Shuts this process in before it touches foreign data: an empty root, files below two directories alone and by descriptors
/// alone, few capabilities, a seccomp filter.
///
/// It must be root of its user namespace, in mount, PID, network and IPC namespaces of its own, and have one thread.
///
/// - Parameters:
///   - writable: everything below it may be changed.
///   - readable: what is below it may be read.
///   - filter: `struct sock_filter`, 8 bytes each.
public func confineToFiles(
    below writable: FileDescriptor, reading readable: FileDescriptor, capabilities: UInt64,
    filter: [UInt8]
) throws(SystemError) {
    var step: UnsafePointer<CChar>?
    let result = filter.withUnsafeBytes { bytes in
        var confinement = sbx_confinement(
            writable: writable.rawValue, readable: readable.rawValue, capabilities: capabilities,
            filter: bytes.baseAddress, filter_count: UInt16(bytes.count / 8))
        return sbx_confine(&confinement, &step)
    }
    if result < 0 {
        throw SystemError(step.map { String(cString: $0) } ?? "confine", Errno(rawValue: -result))
    }
}

/// Shuts this process in for good, whoever it is: what is open stays, nothing can be opened, made or signalled.
///
/// It must have one thread.
///
/// - Parameter filter: `struct sock_filter`, 8 bytes each.
public func confineToDescriptors(filter: [UInt8]) throws(SystemError) {
    var step: UnsafePointer<CChar>?
    let result = filter.withUnsafeBytes { bytes in
        sbx_confine_to_descriptors(bytes.baseAddress, UInt16(bytes.count / 8), &step)
    }
    if result < 0 {
        throw SystemError(step.map { String(cString: $0) } ?? "confine", Errno(rawValue: -result))
    }
}
