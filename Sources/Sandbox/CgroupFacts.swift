/// What the kernel's text files say of cgroups; cgroups(7), proc(5). Values of text alone.
enum CgroupFacts {
    /// The path of a process's cgroup v2 from /proc/PID/cgroup; nil where it has none.
    static func path(in text: String) -> String? {
        for line in text.split(separator: "\n") where line.hasPrefix("0::/") {
            let path = String(line.dropFirst(3))
            // Outside the root of our cgroup namespace, or removed: nothing can be made there.
            return path.hasPrefix("/..") || path.hasSuffix(" (deleted)") ? nil : path
        }
        return nil
    }

    /// Where cgroup v2 is mounted, and which of its directories is there, from /proc/PID/mountinfo.
    static func mount(in text: String) -> (place: String, root: String)? {
        for line in text.split(separator: "\n") {
            // id parent major:minor root place options tags… - type source options
            guard let end = line.range(of: " - ")?.lowerBound else { continue }
            let fields = line[..<end].split(separator: " ")
            let type = line[end...].dropFirst(3).prefix { $0 != " " }
            if type != "cgroup2" || fields.count < 5 { continue }
            return (unescaped(fields[4]), unescaped(fields[3]))
        }
        return nil
    }

    /// The directory of cgroup `path` on that mount; nil where the mount does not show it.
    static func directory(of path: String, on mount: (place: String, root: String)) -> String? {
        if mount.root == "/" { return path == "/" ? mount.place : mount.place + path }
        if path == mount.root { return mount.place }
        guard path.hasPrefix(mount.root + "/") else { return nil }
        return mount.place + path.dropFirst(mount.root.count)
    }

    /// The value of `NAME VALUE` in a file such as memory.events.
    static func count(of name: String, in text: String) -> Int {
        for line in text.split(separator: "\n") {
            let fields = line.split(separator: " ")
            if fields.count == 2, fields[0] == name { return Int(fields[1]) ?? 0 }
        }
        return 0
    }

    /// `cpu.max` for thousandths of a processor: microseconds in each tenth of a second.
    static func processorQuota(thousandths: Int) -> String {
        "\(max(1000, thousandths * 100)) 100000"
    }

    /// The kernel writes blanks, tabs, line feeds and backslashes of a path as octal numbers.
    private static func unescaped(_ field: Substring) -> String {
        var result: [UInt8] = []
        var rest = Substring(field).utf8
        while let byte = rest.popFirst() {
            let digits = rest.prefix(3)
            if byte == UInt8(ascii: "\\"), digits.count == 3,
                let value = UInt8(String(Substring(digits)), radix: 8)
            {
                result.append(value)
                rest = rest.dropFirst(3)
            } else {
                result.append(byte)
            }
        }
        return String(decoding: result, as: UTF8.self)
    }
}

extension Substring {
    /// The first place of `text`; the standard library alone has no search for one.
    fileprivate func range(of text: String) -> Range<Index>? {
        var start = startIndex
        while start != endIndex {
            if self[start...].hasPrefix(text) {
                return start..<index(start, offsetBy: text.count)
            }
            formIndex(after: &start)
        }
        return nil
    }
}
