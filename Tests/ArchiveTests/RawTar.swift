import Archive

/// Tars put together block by block, with everything that no tool would write.
struct RawTar {
    var bytes: [UInt8] = []

    /// A header block with a right check sum.
    mutating func header(
        _ name: String = "x", type: Character = "0", size: Int = 0,
        edit: (inout [UInt8]) -> Void = { _ in }
    ) {
        var block = [UInt8](repeating: 0, count: 512)
        func put(_ bytes: [UInt8], at offset: Int) {
            for (index, byte) in bytes.enumerated() { block[offset + index] = byte }
        }
        put(Array(name.utf8.prefix(100)), at: 0)
        put(Array("0000644".utf8), at: 100)
        put(Array("0000000".utf8), at: 108)
        put(Array("0000000".utf8), at: 116)
        let digits = String(size, radix: 8)
        put(Array((String(repeating: "0", count: 11 - digits.count) + digits).utf8), at: 124)
        put(Array("00000000000".utf8), at: 136)
        block[156] = type == "\0" ? 0 : type.asciiValue!
        put(Array("ustar\u{0}00".utf8), at: 257)
        edit(&block)
        put(Array("        ".utf8), at: 148)
        let sum = String(block.reduce(0) { $0 + Int($1) }, radix: 8)
        put(Array((String(repeating: "0", count: 6 - sum.count) + sum + "\0").utf8), at: 148)
        bytes += block
    }

    mutating func data(_ data: [UInt8]) {
        bytes += data + [UInt8](repeating: 0, count: (512 - data.count % 512) % 512)
    }

    mutating func pax(_ records: [(String, [UInt8])], type: Character = "x") {
        pax(raw: records.flatMap { Self.record($0.0, $0.1) }, type: type)
    }

    mutating func pax(_ records: [(String, String)], type: Character = "x") {
        pax(records.map { ($0.0, Array($0.1.utf8)) }, type: type)
    }

    mutating func pax(raw: [UInt8], type: Character = "x") {
        header("PaxHeaders/x", type: type, size: raw.count)
        data(raw)
    }

    mutating func long(_ name: [UInt8], type: Character) {
        header("././@LongLink", type: type, size: name.count)
        data(name)
    }

    mutating func end() { bytes += [UInt8](repeating: 0, count: 1024) }

    static func record(_ key: String, _ value: [UInt8]) -> [UInt8] {
        let rest = key.utf8.count + value.count + 3
        var length = rest
        while length != rest + String(length).utf8.count {
            length = rest + String(length).utf8.count
        }
        return Array("\(length) \(key)=".utf8) + value + [10]
    }
}

/// What is wrong with the archive that `make` puts together; nil when nothing is.
func refusal(_ make: (inout RawTar) -> Void) -> ArchiveError.Problem? {
    var tar = RawTar()
    make(&tar)
    tar.end()
    return problem { _ = try entries(of: tar.bytes) }
}

/// The entries of the archive that `make` puts together.
func read(_ make: (inout RawTar) -> Void) throws -> [(entry: TarEntry, data: [UInt8])] {
    var tar = RawTar()
    make(&tar)
    tar.end()
    return try entries(of: tar.bytes)
}
