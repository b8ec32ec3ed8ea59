import Glibc

extension InvokingUser {
    /// Whether this user is alone in the group `gid`: most distributions give each user one of the same name, and let files be
    /// writable for it.
    public func isAlone(inGroup gid: UInt32) -> Bool {
        var record = Glibc.group()
        var found: UnsafeMutablePointer<Glibc.group>?
        return withUnsafeTemporaryAllocation(of: CChar.self, capacity: 65536) { buffer in
            guard getgrgid_r(gid, &record, buffer.baseAddress!, buffer.count, &found) == 0,
                found != nil
            else {
                // An id without a name, as containers have it, or a group with more members than fit.
                return gid == uid && gid == self.gid
            }
            var next = record.gr_mem
            while let member = next?.pointee {
                if String(cString: member) != name { return false }
                next = next?.successor()
            }
            return String(cString: record.gr_name) == name
        }
    }
}
