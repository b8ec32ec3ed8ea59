import SystemPackage

extension Child {
    /// Writes maps of one id each, this process's own, which needs no privilege; user_namespaces(7), "Writing to uid_map".
    public func writeSingleIDMaps(uid: IDMap, gid: IDMap) throws(SystemError) {
        for (name, text) in [
            ("setgroups", "deny"), ("uid_map", uid.kernelText), ("gid_map", gid.kernelText),
        ] {
            try during("write /proc/\(pid)/\(name)") { () throws(Errno) in
                let file = try FileDescriptor.workingDirectory.open(
                    "/proc/\(pid)/\(name)", .writeOnly, resolve: .noLinks)
                try file.borrowed.writeFully(Array(text.utf8))
            }
        }
    }
}
