import Policy

/// What the filter says more where there are addresses that a RUN may not reach; everything here is in registers.
enum AddressRules {
    /// Calls that the supervisor is asked about, whatever their arguments.
    static let watched: Set = ["connect", "sendmsg", "sendmmsg"]

    /// - Parameter asksForSends: whether the policy lets everybody call sendto: only then does it ask about those with an address.
    static func rules(asksForSends: Bool) throws(PolicyError) -> [SeccompProfile.Rule] {
        let text = """
            {"defaultAction": "SCMP_ACT_ERRNO", "syscalls": [
            \((fastOpen + protocols + [sends]).joined(separator: ","))]}
            """
        var rules = try SeccompProfile(parsing: Array(text.utf8), named: "network").rules
        let last = rules.removeLast()
        if asksForSends {
            // No profile can say this: the listener is ours.
            var asking = last
            asking.action = .notify
            rules.append(asking)
        }
        return rules
    }

    /// MSG_FASTOPEN connects and sends at once. The answer is that of a host where it is off (net.ipv4.tcp_fastopen), after which
    /// programs connect as ever.
    private static let fastOpen = [("sendto", 3), ("sendmsg", 2), ("sendmmsg", 3)].map {
        call, flags in
        """
        {"names": ["\(call)"], "action": "SCMP_ACT_ERRNO", "errnoRet": 95, "args": [
        {"index": \(flags), "value": 536870912, "valueTwo": 536870912, "op": "SCMP_CMP_MASKED_EQ"}]}
        """
    }

    /// MPTCP (262) and SMC (256) are TCP that Landlock does not see: EPROTONOSUPPORT, as where the kernel has neither.
    private static let protocols = [2, 10].map { family in
        """
        {"names": ["socket"], "action": "SCMP_ACT_ERRNO", "errnoRet": 93, "args": [
        {"index": 0, "value": \(family), "op": "SCMP_CMP_EQ"},
        {"index": 2, "value": 255, "op": "SCMP_CMP_GT"}]}
        """
    }

    /// Without an address it is send(3), which is frequent.
    private static let sends = """
        {"names": ["sendto"], "action": "SCMP_ACT_ALLOW", "args": [
        {"index": 4, "value": 0, "op": "SCMP_CMP_NE"}]}
        """
}
