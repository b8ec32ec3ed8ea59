import Glibc

/// The first two numbers of a kernel's release, which is all that profiles compare.
public struct KernelVersion: Hashable, Comparable, Sendable, CustomStringConvertible {
    public var major: Int
    public var minor: Int

    public init(_ major: Int, _ minor: Int) {
        self.major = major
        self.minor = minor
    }

    /// Reads the front of a release such as `6.1.0-13-amd64`.
    public init?(release: String) {
        let parts = release.split(separator: ".", maxSplits: 2, omittingEmptySubsequences: false)
        guard parts.count >= 2, let major = Int(parts[0], radix: 10),
            let minor = Int(parts[1].prefix { $0.isASCII && $0.isNumber }, radix: 10),
            major >= 0, minor >= 0
        else { return nil }
        self.init(major, minor)
    }

    /// The kernel below us; nil where its release isn't two numbers.
    public static var running: KernelVersion? {
        var names = utsname()
        guard uname(&names) == 0 else { return nil }
        let release = withUnsafeBytes(of: &names.release) { raw in
            String(decoding: raw.prefix { $0 != 0 }, as: UTF8.self)
        }
        return KernelVersion(release: release)
    }

    public static func < (left: KernelVersion, right: KernelVersion) -> Bool {
        (left.major, left.minor) < (right.major, right.minor)
    }

    public var description: String { "\(major).\(minor)" }
}
