/// A tar, written header by header: what no archiver agrees to write.
struct RawTar {
    private(set) var bytes: [UInt8] = []

    /// One 512-byte header. What is nil is written as the others say it has to be.
    struct Header {
        var name: [UInt8]
        var type = UInt8(ascii: "0")
        var link: [UInt8] = []
        var mode = 0o644
        var uid = 0
        var gid = 0
        var size = 0
        var time = 1_000_000_000
        var magic = Array("ustar\u{0}00".utf8)
        var prefix: [UInt8] = []
        var major = 0
        var minor = 0
        /// Bytes put over the finished header, before its check sum: offset and content.
        var over: [(Int, [UInt8])] = []
        /// Added to the check sum.
        var error = 0

        init(_ name: String, _ type: Character = "0") {
            self.name = Array(name.utf8)
            self.type = type.asciiValue!
        }

        init(_ name: [UInt8], _ type: Character = "0") {
            self.name = name
            self.type = type.asciiValue!
        }

        var block: [UInt8] {
            var block = [UInt8](repeating: 0, count: 512)
            func put(_ bytes: [UInt8], at offset: Int) {
                for (index, byte) in bytes.enumerated() where offset + index < 512 {
                    block[offset + index] = byte
                }
            }
            put(Array(name.prefix(100)), at: 0)
            put(RawTar.octal(mode, 8), at: 100)
            put(RawTar.octal(uid, 8), at: 108)
            put(RawTar.octal(gid, 8), at: 116)
            put(RawTar.octal(size, 12), at: 124)
            put(RawTar.octal(time, 12), at: 136)
            put([type], at: 156)
            put(Array(link.prefix(100)), at: 157)
            put(magic, at: 257)
            put(RawTar.octal(major, 8), at: 329)
            put(RawTar.octal(minor, 8), at: 337)
            put(Array(prefix.prefix(155)), at: 345)
            for (offset, bytes) in over { put(bytes, at: offset) }
            put(Array("        ".utf8), at: 148)
            put(RawTar.octal(block.reduce(error) { $0 + Int($1) }, 7) + [0x20], at: 148)
            return block
        }
    }

    /// Digits and a NUL at the end, `width` bytes in all.
    static func octal(_ value: Int, _ width: Int) -> [UInt8] {
        let digits = Array(String(value, radix: 8).utf8)
        return [UInt8](repeating: 0x30, count: max(0, width - 1 - digits.count)) + digits + [0]
    }

    mutating func add(_ header: Header, _ data: [UInt8] = []) {
        bytes += header.block
        add(data: data)
    }

    /// Content, filled up to a whole block.
    mutating func add(data: [UInt8]) {
        bytes += data
        bytes += [UInt8](repeating: 0, count: (512 - data.count % 512) % 512)
    }

    mutating func add(raw: [UInt8]) { bytes += raw }

    /// A file, with the header that belongs to its data.
    mutating func file(_ name: String, _ text: String = "x") { file(Array(name.utf8), text) }

    mutating func file(_ name: [UInt8], _ text: String = "x") {
        var header = Header(name)
        header.size = text.utf8.count
        add(header, Array(text.utf8))
    }

    mutating func directory(_ name: String, mode: Int = 0o755) {
        var header = Header(name, "5")
        header.mode = mode
        add(header)
    }

    /// `name -> target`, symbolic, or hard with type "1".
    mutating func link(_ name: String, _ target: String, type: Character = "2") {
        var header = Header(name, type)
        header.link = Array(target.utf8)
        add(header)
    }

    /// A PAX header for what follows; type "g" for a global one.
    mutating func pax(_ records: [(String, [UInt8])], type: Character = "x") {
        pax(data: records.flatMap { Self.record($0.0, $0.1) }, type: type)
    }

    mutating func pax(data: [UInt8], type: Character = "x") {
        var header = Header("PaxHeaders/x", type)
        header.size = data.count
        add(header, data)
    }

    /// `length key=value\n`, where the length counts itself.
    static func record(_ key: String, _ value: [UInt8]) -> [UInt8] {
        let rest = Array(" \(key)=".utf8) + value + [0x0a]
        var length = rest.count + 1
        while String(length).utf8.count + rest.count != length {
            length = String(length).utf8.count + rest.count
        }
        return Array(String(length).utf8) + rest
    }

    /// A GNU long name ("L") or long link ("K") for what follows.
    mutating func long(_ text: [UInt8], type: Character = "L") {
        var header = Header("././@LongLink", type)
        header.size = text.count + 1
        header.magic = Array("ustar  \u{0}".utf8)
        add(header, text + [0])
    }

    /// The archive with its end.
    var ended: [UInt8] { bytes + [UInt8](repeating: 0, count: 1024) }

    /// An archive made by `body`, with its end.
    static func make(_ body: (inout RawTar) -> Void) -> [UInt8] {
        var tar = RawTar()
        body(&tar)
        return tar.ended
    }
}
