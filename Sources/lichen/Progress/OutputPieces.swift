import FoundationEssentials

/// What a RUN writes, in pieces that JSON can carry: text where it is UTF-8, else base64. Together they are its exact bytes.
struct OutputPieces {
    struct Piece: Equatable {
        var data: String
        var isBase64: Bool
    }

    /// The begin of a character whose end is in the next piece.
    private var pending: [UInt8] = []

    /// Takes some bytes; nil where nothing can be passed on yet.
    mutating func take(_ bytes: [UInt8]) -> Piece? {
        let all = pending + bytes
        let whole = all.dropLast(Self.unfinished(all))
        if let text = String(validating: whole, as: UTF8.self) {
            pending = Array(all[whole.endIndex...])
            return text.isEmpty ? nil : Piece(data: text, isBase64: false)
        }
        pending = []
        return Self.encoded(all)
    }

    /// A character that never came whole.
    mutating func finish() -> Piece? {
        defer { pending = [] }
        return pending.isEmpty ? nil : Self.encoded(pending)
    }

    private static func encoded(_ bytes: [UInt8]) -> Piece {
        Piece(data: Data(bytes).base64EncodedString(), isBase64: true)
    }

    /// How many of the last bytes begin a character that needs more of them.
    private static func unfinished(_ bytes: [UInt8]) -> Int {
        for (index, byte) in bytes.suffix(3).reversed().enumerated() where byte & 0xC0 != 0x80 {
            let length =
                switch byte {
                case 0xC2...0xDF: 2
                case 0xE0...0xEF: 3
                case 0xF0...0xF4: 4
                default: 1
                }
            return length > index + 1 ? index + 1 : 0
        }
        return 0
    }
}
