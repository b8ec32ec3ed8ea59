import Linux

/// The PATH of a command whose image sets none; as Docker has it.
public let defaultSearchPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

extension StepSandbox {
    /// Adds PATH and HOME where the image sets none.
    func completed(_ environment: [[UInt8]], _ identity: UserDatabase.Identity) -> [[UInt8]] {
        var result = environment
        if Self.value(of: "PATH", environment) == nil {
            result.append(Array("PATH=\(defaultSearchPath)".utf8))
        }
        if Self.value(of: "HOME", environment) == nil {
            let home = identity.home ?? (identity.uid == 0 ? "/root" : "/")
            result.append(Array("HOME=\(home)".utf8))
        }
        return result
    }

    private static func value(of name: String, _ environment: [[UInt8]]) -> ArraySlice<UInt8>? {
        let prefix = Array("\(name)=".utf8)
        return environment.last { $0.starts(with: prefix) }?.dropFirst(prefix.count)
    }

    /// Where execve looks for `program`, as execvp(3) would inside.
    static func candidates(_ program: [UInt8], _ environment: [[UInt8]]) -> [[UInt8]] {
        let slash = UInt8(ascii: "/")
        if program.contains(slash) { return [program] }
        let path = value(of: "PATH", environment) ?? ArraySlice(defaultSearchPath.utf8)
        return path.split(separator: UInt8(ascii: ":"), omittingEmptySubsequences: false).map {
            $0.isEmpty ? program : Array($0) + [slash] + program
        }
    }
}
