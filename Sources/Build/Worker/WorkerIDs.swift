import Linux

/// The ids of namespace A, and who writes its maps.
struct WorkerIDs: Equatable, Sendable {
    var uid, gid: IDMap
    /// Written by newuidmap and newgidmap; a single id we may map ourselves.
    var usesHelpers: Bool
    /// Why it is less than a whole range, and what would change that.
    var reason: String?

    /// What an administrator runs to give a user a range.
    static func remedy(_ user: InvokingUser) -> String {
        "an administrator runs: usermod --add-subuids 100000-165535 --add-subgids 100000-165535 \(user.name)"
    }

    /// - Throws: where the request wants ids that this user does not have.
    init(_ range: IDRange, for user: InvokingUser = .current) throws(BuildError) {
        if range == .single {
            self = Self.single(user, reason: nil)
            return
        }
        let (uids, gids) = (user.subordinateUIDs(), user.subordinateGIDs())
        let lack = Self.lack(user, uids, gids)
        guard let lack else {
            self.init(
                uid: IDMap(own: user.uid, subordinate: uids),
                gid: IDMap(own: user.gid, subordinate: gids), usesHelpers: true)
            return
        }
        if range == .subordinate {
            throw BuildError(
                .host, "there are no subordinate ids: \(lack.what)", hint: lack.remedy)
        }
        self = Self.single(user, reason: "\(lack.what); for more, \(lack.remedy)")
    }

    private init(uid: IDMap, gid: IDMap, usesHelpers: Bool, reason: String? = nil) {
        (self.uid, self.gid, self.usesHelpers, self.reason) = (uid, gid, usesHelpers, reason)
    }

    /// This user's own ids, as root's.
    static func single(_ user: InvokingUser = .current, reason: String?) -> WorkerIDs {
        WorkerIDs(
            uid: IDMap(own: user.uid, subordinate: []), gid: IDMap(own: user.gid, subordinate: []),
            usesHelpers: false, reason: reason)
    }

    /// What is missing for a range.
    private static func lack(
        _ user: InvokingUser, _ uids: [SubordinateRange], _ gids: [SubordinateRange]
    ) -> (what: String, remedy: String)? {
        for (file, ranges) in [("/etc/subuid", uids), ("/etc/subgid", gids)] where ranges.isEmpty {
            return ("\(file) has no range for \(user.name) (uid \(user.uid))", remedy(user))
        }
        for helper in ["newuidmap", "newgidmap"] where helperPath(helper) == nil {
            return ("\(helper) is not installed", "an administrator runs: apt-get install uidmap")
        }
        return nil
    }
}
