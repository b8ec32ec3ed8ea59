/// Gathers the PAX records of one entry, in a fixed order: xattrs by name, then the keys of
/// POSIX by name.
struct PaxBuilder {
    private var xattrs: [TarEntry.Xattr] = []
    private var path: [UInt8]?
    private var linkPath: [UInt8]?
    private var numbers: [(key: StaticString, value: Int64)] = []

    /// The name of PAX headers, for readers that know none and make a file of it.
    static let headerName = Array("././@PaxHeader".utf8)

    var isEmpty: Bool {
        xattrs.isEmpty && path == nil && linkPath == nil && numbers.isEmpty
    }

    /// Forgets the entry before.
    mutating func start(xattrs: [TarEntry.Xattr]) {
        self.xattrs = xattrs
        path = nil
        linkPath = nil
        numbers.removeAll(keepingCapacity: true)
    }

    mutating func add(path: [UInt8], addingSlash: Bool) {
        self.path = addingSlash ? path + [UInt8(ascii: "/")] : path
    }

    mutating func add(linkPath: [UInt8]) { self.linkPath = linkPath }

    /// `key` is gid, mtime, size or uid.
    mutating func add(_ key: StaticString, _ value: Int64) { numbers.append((key, value)) }

    /// The body of the header.
    func records() -> [UInt8] {
        var records: [UInt8] = []
        for xattr in xattrs.sorted(by: { $0.name.lexicographicallyPrecedes($1.name) }) {
            Self.append(PaxRecords.xattrPrefix + xattr.name, xattr.value, to: &records)
        }
        append("gid", to: &records)
        if !isUTF8(path) || !isUTF8(linkPath) {
            Self.append(Array("hdrcharset".utf8), Array("BINARY".utf8), to: &records)
        }
        if let linkPath { Self.append(Array("linkpath".utf8), linkPath, to: &records) }
        append("mtime", to: &records)
        if let path { Self.append(Array("path".utf8), path, to: &records) }
        append("size", to: &records)
        append("uid", to: &records)
        return records
    }

    private func append(_ key: String, to records: inout [UInt8]) {
        for number in numbers where number.key.description == key {
            Self.append(Array(key.utf8), Array(String(number.value).utf8), to: &records)
        }
    }

    private func isUTF8(_ bytes: [UInt8]?) -> Bool {
        bytes.map { String(validating: $0, as: UTF8.self) != nil } ?? true
    }

    /// `LENGTH KEY=VALUE\n`; the length counts its own digits.
    private static func append(_ key: [UInt8], _ value: [UInt8], to records: inout [UInt8]) {
        let rest = key.count + value.count + 3
        var length = rest + 1
        while length != rest + String(length).utf8.count {
            length = rest + String(length).utf8.count
        }
        records += Array(String(length).utf8)
        records.append(UInt8(ascii: " "))
        records += key
        records.append(UInt8(ascii: "="))
        records += value
        records.append(UInt8(ascii: "\n"))
    }
}
