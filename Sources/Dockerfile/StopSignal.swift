/// What STOPSIGNAL takes: a number, or a name with or without `SIG`.
public enum StopSignal {
    private static let names: Set<String> = [
        "ABRT", "ALRM", "BUS", "CHLD", "CLD", "CONT", "FPE", "HUP", "ILL", "INT", "IO", "IOT",
        "KILL", "PIPE", "POLL", "PROF", "PWR", "QUIT", "SEGV", "STKFLT", "STOP", "SYS", "TERM",
        "TRAP", "TSTP", "TTIN", "TTOU", "URG", "USR1", "USR2", "VTALRM", "WINCH", "XCPU", "XFSZ",
        "RTMIN", "RTMAX",
    ]

    /// The name that was most likely meant, with `SIG` as in `word`.
    static func nearestName(to word: String) -> String? {
        let prefix = word.uppercased().hasPrefix("SIG") ? "SIG" : ""
        let near = nearest(to: String(word.dropFirst(prefix.count)), among: names.sorted())
        return near.map { prefix + $0 }
    }

    /// Whether Linux has the signal. The image's config keeps the word as it is.
    public static func isValid(_ word: String) -> Bool {
        if let number = Int(word) { return (1...64).contains(number) }
        var name = Substring(word.uppercased())
        if name.hasPrefix("SIG") { name = name.dropFirst(3) }
        if names.contains(String(name)) { return true }
        if name.hasPrefix("RTMIN+"), let offset = UInt(name.dropFirst(6)) { return offset <= 15 }
        if name.hasPrefix("RTMAX-"), let offset = UInt(name.dropFirst(6)) { return offset <= 14 }
        return false
    }
}
