import Glibc
import Limits
import SystemPackage

/// Container ids -> ids of the parent namespace; user_namespaces(7), "User and group ID mappings".
public struct IDMap: Equatable, Sendable {
    public struct Extent: Equatable, Sendable {
        public var inside, outside, count: UInt32

        public init(inside: UInt32, outside: UInt32, count: UInt32) {
            self.inside = inside
            self.outside = outside
            self.count = count
        }
    }

    public var extents: [Extent]

    public init(extents: [Extent]) { self.extents = extents }

    /// Id 0 is `own`, ids from 1 on are the subordinate ranges in their order.
    public init(own: UInt32, subordinate: [SubordinateRange]) {
        extents = [Extent(inside: 0, outside: own, count: 1)]
        var next: UInt32 = 1
        for range in subordinate {
            // The last id is the kernel's "no id", and never mapped.
            let count = min(range.count, UInt32.max - 1 - next)
            if count == 0 { break }
            extents.append(Extent(inside: next, outside: range.start, count: count))
            next += count
        }
    }

    /// The map of a namespace below one with this map: the same ids, extent by extent. One extent across two of the parent's
    /// is refused by the kernel.
    public var identity: IDMap {
        IDMap(
            extents: extents.map { Extent(inside: $0.inside, outside: $0.inside, count: $0.count) })
    }

    /// Whether a file may belong to `id`.
    public func contains(_ id: UInt32) -> Bool {
        extents.contains { id >= $0.inside && id - $0.inside < $0.count }
    }

    /// How many ids there are in all.
    public var count: UInt64 { extents.reduce(0) { $0 + UInt64($1.count) } }

    /// The text for /proc/PID/uid_map.
    public var kernelText: String {
        extents.map { "\($0.inside) \($0.outside) \($0.count)\n" }.joined()
    }

    /// The words for newuidmap's command line.
    var helperArguments: [String] {
        extents.flatMap { ["\($0.inside)", "\($0.outside)", "\($0.count)"] }
    }

    /// A name for what depends on the map, fit for a file: a tree unpacked under one map is unreadable under another.
    public var fileName: String {
        extents.map { "\($0.inside).\($0.outside).\($0.count)" }.joined(separator: "-")
    }
}

/// One range of /etc/subuid or /etc/subgid.
public struct SubordinateRange: Equatable, Sendable {
    public var start, count: UInt32

    public init(start: UInt32, count: UInt32) {
        self.start = start
        self.count = count
    }

    /// The ranges of `user` (a name, or `uid` as digits) in the text of a file; lines that are no range are passed over, as
    /// newuidmap does. subuid(5).
    public static func parse(_ text: [UInt8], user: String, uid: UInt32) -> [SubordinateRange] {
        var ranges: [SubordinateRange] = []
        for line in text.split(separator: UInt8(ascii: "\n")) {
            let fields = line.split(separator: UInt8(ascii: ":"), omittingEmptySubsequences: false)
                .map { String(decoding: $0, as: UTF8.self) }
            guard fields.count == 3, fields[0] == user || fields[0] == String(uid),
                let start = UInt32(fields[1]), let count = UInt32(fields[2]), count > 0, start > 0,
                UInt64(start) + UInt64(count) < UInt64(UInt32.max)
            else { continue }
            ranges.append(SubordinateRange(start: start, count: count))
        }
        // The kernel takes at most 340 extents; nobody has more than a few.
        return Array(ranges.prefix(300))
    }
}

/// The user that runs this process, as the id files name them.
public struct InvokingUser: Sendable {
    public var uid, gid: UInt32
    public var name: String
    public var home: String?

    public static var current: InvokingUser {
        let uid = geteuid()
        var user = InvokingUser(uid: uid, gid: getegid(), name: String(uid), home: nil)
        var record = passwd()
        var found: UnsafeMutablePointer<passwd>?
        withUnsafeTemporaryAllocation(of: CChar.self, capacity: 16384) { buffer in
            if getpwuid_r(uid, &record, buffer.baseAddress!, buffer.count, &found) == 0,
                found != nil
            {
                user.name = String(cString: record.pw_name)
                user.home = String(cString: record.pw_dir)
            }
        }
        return user
    }

    /// The ranges that the administrator gave this user; empty where the file or the line is missing.
    public func subordinateUIDs() -> [SubordinateRange] { ranges("/etc/subuid") }
    public func subordinateGIDs() -> [SubordinateRange] { ranges("/etc/subgid") }

    private func ranges(_ path: String) -> [SubordinateRange] {
        // No such file, or no right to read it, is the same to us as a file without our line.
        guard
            let file = try? FileDescriptor.workingDirectory.open(path, .readOnly, resolve: .system),
            let text = try? file.borrowed.readAll(limit: Limit.subordinateIDs)
        else { return [] }
        return SubordinateRange.parse(text, user: name, uid: uid)
    }
}
