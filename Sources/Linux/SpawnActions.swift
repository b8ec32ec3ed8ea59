import CShims
import Glibc
public import SystemPackage

/// Has a child of posix_spawn(3) close every descriptor from `first` on. Comes after the actions that need them.
public func closeDescriptors(
    from first: CInt, in actions: inout posix_spawn_file_actions_t
) throws(Errno) {
    let error = sbx_spawn_close_from(&actions, first)
    if error != 0 { throw Errno(rawValue: error) }
}
