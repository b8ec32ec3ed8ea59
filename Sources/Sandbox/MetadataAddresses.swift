public import Linux

extension StepSupervision {
    /// Where clouds hand out a machine's credentials to whoever asks from that machine: a closed list, as docs/network.md has it.
    public static let metadataAddresses: [IPAddress] = [
        "169.254.169.254",  // nearly all of them
        "fd00:ec2::254",  // AWS
        "fd20:ce::254",  // Google
        "fd00:c1::a9fe:a9fe",  // Oracle
        "fe80::a9fe:a9fe",  // OpenStack
        "169.254.170.2",  // AWS: containers of ECS
        "169.254.170.23", "fd00:ec2::23",  // AWS: pods of EKS
        "168.63.129.16",  // Azure: the host's agent
        "192.0.0.192",  // Oracle, the older way
        "100.100.100.200",  // Alibaba
        "169.254.0.23",  // Tencent
        "169.254.42.42", "fd00:42::42",  // Scaleway
    ].map { IPAddress($0)! }
}
