/// What a RUN writes, as harmless lines.
///
/// A carriage return begins the line anew, as on a terminal: of a progress bar only its last state stays.
struct OutputLines {
    /// A line that is longer is broken here: memory stays bounded whatever comes.
    static let longestLine = 8192

    private var sanitizer = Sanitizer()
    private var line: [UInt8] = []
    private var sawReturn = false

    /// The lines that this piece ends.
    mutating func append(_ bytes: [UInt8]) -> [String] { take(sanitizer.clean(bytes)) }

    /// The last line, where it had no end.
    mutating func finish() -> String? {
        let lines = take(sanitizer.finish())
        defer { line = [] }
        return lines.last ?? (line.isEmpty ? nil : text)
    }

    /// The line that is being written.
    var partial: String? { line.isEmpty ? nil : text }

    private var text: String { String(decoding: line, as: UTF8.self) }

    private mutating func take(_ bytes: [UInt8]) -> [String] {
        var lines: [String] = []
        for byte in bytes {
            switch byte {
            case UInt8(ascii: "\n"):
                lines.append(text)
                line.removeAll(keepingCapacity: true)
                sawReturn = false
            case UInt8(ascii: "\r"):
                sawReturn = true
            default:
                if sawReturn {
                    line.removeAll(keepingCapacity: true)
                    sawReturn = false
                }
                // Not inside a character.
                if line.count >= Self.longestLine && byte & 0xC0 != 0x80 {
                    lines.append(text)
                    line.removeAll(keepingCapacity: true)
                }
                line.append(byte)
            }
        }
        return lines
    }
}
