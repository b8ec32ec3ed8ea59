/// Finds a key that occurs twice in one JSON object.
///
/// JSON readers disagree about which of the two counts, so a document with both can be one image to a scanner and another
/// to a builder. At the top level, where every key is ours, keys that differ in case alone count as the same: Go reads
/// them so.
///
/// The scan only follows strings and brackets; whether the rest is JSON at all is the decoder's business.
enum DuplicateKeys {
    private struct Level {
        var keys: Set<String> = []
        var isObject: Bool
        var expectsKey: Bool
    }

    static func first(in bytes: [UInt8]) -> String? {
        var levels: [Level] = []
        var position = 0
        while position < bytes.count {
            switch bytes[position] {
            case UInt8(ascii: "{"): levels.append(Level(isObject: true, expectsKey: true))
            case UInt8(ascii: "["): levels.append(Level(isObject: false, expectsKey: false))
            case UInt8(ascii: "}"), UInt8(ascii: "]"): _ = levels.popLast()
            case UInt8(ascii: ","):
                if let last = levels.indices.last {
                    levels[last].expectsKey = levels[last].isObject
                }
            case UInt8(ascii: "\""):
                let end = endOfString(in: bytes, from: position + 1)
                if let last = levels.indices.last, levels[last].expectsKey {
                    levels[last].expectsKey = false
                    let key = unescaped(bytes[(position + 1)..<end])
                    let counted = last == 0 ? key.lowercased() : key
                    if !levels[last].keys.insert(counted).inserted { return key }
                }
                position = end
            default: break
            }
            position += 1
        }
        return nil
    }

    /// The position of the closing quote, or the end of a string that never closes.
    private static func endOfString(in bytes: [UInt8], from start: Int) -> Int {
        var position = start
        while position < bytes.count, bytes[position] != UInt8(ascii: "\"") {
            position += bytes[position] == UInt8(ascii: "\\") ? 2 : 1
        }
        return min(position, bytes.count)
    }

    /// The text between the quotes, so that `a` and `\u0061` are the same key.
    private static func unescaped(_ bytes: ArraySlice<UInt8>) -> String {
        guard bytes.contains(UInt8(ascii: "\\")) else {
            return String(decoding: bytes, as: UTF8.self)
        }
        var units: [UInt16] = []
        var rest = String(decoding: bytes, as: UTF8.self).utf16[...]
        while let unit = rest.popFirst() {
            guard unit == UInt16(UInt8(ascii: "\\")), let escape = rest.popFirst() else {
                units.append(unit)
                continue
            }
            switch Unicode.Scalar(escape) {
            case "u":
                units.append(UInt16(String(rest.prefix(4)) ?? "", radix: 16) ?? 0xfffd)
                rest = rest.dropFirst(4)
            case "n": units.append(10)
            case "t": units.append(9)
            case "r": units.append(13)
            case "b": units.append(8)
            case "f": units.append(12)
            default: units.append(escape)
            }
        }
        return String(decoding: units, as: UTF16.self)
    }
}
