import Defences

/// Makes foreign bytes harmless for a terminal, piece by piece.
///
/// What comes out is UTF-8 without control characters but tab, line feed and carriage return: escape sequences vanish whole,
/// also where a piece ends in their middle, other control characters and invisible direction marks vanish, and what is no
/// UTF-8 becomes U+FFFD. ECMA-48, sections 5.3 to 5.6; Unicode, "Bidirectional Character Types".
struct Sanitizer {
    private enum State {
        case text
        /// After ESC.
        case escape
        /// After ESC and intermediate bytes: one final byte is to come.
        case escapeIntermediate
        /// CSI: parameters until a final byte.
        case controlSequence
        /// OSC, DCS, SOS, PM or APC: anything until its end.
        case controlString
        /// In such a string, after ESC: a backslash ends it.
        case controlStringEscape
    }

    /// A string that goes on for longer than this, or over a line's end, was none: its end is not waited for.
    static let longestControlString = 4096

    private var state = State.text
    private var stringLength = 0
    /// The begin of a character whose end is in the next piece.
    private var pending: [UInt8] = []

    /// The harmless form of the next piece.
    mutating func clean(_ bytes: some Collection<UInt8>) -> [UInt8] {
        if Defence.sanitizer.isLeftOut { return Array(bytes) }
        var decoder = Decoder(pending + bytes)
        pending = []
        var result: [UInt8] = []
        result.reserveCapacity(bytes.count)
        while let next = decoder.next() {
            switch next {
            case .scalar(let scalar): take(scalar, into: &result)
            case .invalid: take("\u{FFFD}", into: &result)
            case .unfinished(let rest): pending = rest
            }
        }
        return result
    }

    /// What is left at the end: a character that never came whole.
    mutating func finish() -> [UInt8] {
        defer { self = Sanitizer() }
        return pending.isEmpty || state != .text ? [] : Array("\u{FFFD}".utf8)
    }

    private mutating func take(_ scalar: Unicode.Scalar, into result: inout [UInt8]) {
        // A line's end, CAN and SUB end whatever was going on: a forgotten end must not swallow what follows.
        if scalar == "\n" || scalar.value == 0x18 || scalar.value == 0x1A { state = .text }
        switch state {
        case .text: takeText(scalar, into: &result)
        case .escape: takeEscape(scalar)
        case .escapeIntermediate:
            if scalar == "\u{1B}" {
                state = .escape
            } else if !(0x20...0x2F).contains(scalar.value) {
                state = .text
            }
        case .controlSequence:
            if scalar == "\u{1B}" {
                state = .escape
            } else if !(0x20...0x3F).contains(scalar.value) {
                // A final byte belongs to the sequence; anything else broke it off, and is text again.
                state = .text
                if !(0x40...0x7E).contains(scalar.value) { takeText(scalar, into: &result) }
            }
        case .controlString, .controlStringEscape: takeControlString(scalar)
        }
    }

    private mutating func takeEscape(_ scalar: Unicode.Scalar) {
        switch scalar {
        case "[": state = .controlSequence
        case "]", "P", "X", "^", "_": beginString()
        case "\u{1B}": break
        case _ where (0x20...0x2F).contains(scalar.value): state = .escapeIntermediate
        default: state = .text
        }
    }

    private mutating func beginString() {
        state = .controlString
        stringLength = 0
    }

    private mutating func takeControlString(_ scalar: Unicode.Scalar) {
        stringLength += 1
        if state == .controlStringEscape {
            // ESC \ ends it; ESC and something else begins another sequence.
            state = .escape
            if scalar == "\\" { state = .text } else { takeEscape(scalar) }
        } else if scalar == "\u{1B}" {
            state = .controlStringEscape
        } else if scalar == "\u{07}" || scalar == "\u{9C}"
            || stringLength > Self.longestControlString
        {
            state = .text
        }
    }

    private mutating func takeText(_ scalar: Unicode.Scalar, into result: inout [UInt8]) {
        switch scalar.value {
        case 0x1B: state = .escape
        case 0x9B: state = .controlSequence
        case 0x90, 0x98, 0x9D, 0x9E, 0x9F: beginString()
        case 0x20..<0x7F, 0x09, 0x0A, 0x0D: result.append(UInt8(scalar.value))
        case 0..<0x20, 0x7F..<0xA0: break
        default:
            switch scalar.properties.generalCategory {
            case .lineSeparator, .paragraphSeparator: result.append(0x20)
            // Joiners make letters and pictures whole; other format characters turn text around or hide it.
            case .format where scalar.value != 0x200C && scalar.value != 0x200D: break
            default: result.append(contentsOf: UTF8.encode(scalar)!)
            }
        }
    }
}

extension Sanitizer {
    /// A whole text as one harmless line; with `keepingNewlines`, as harmless lines.
    static func clean(_ text: String, keepingNewlines: Bool = false) -> String {
        var sanitizer = Sanitizer()
        var bytes = sanitizer.clean(Array(text.utf8)) + sanitizer.finish()
        bytes.removeAll { $0 == UInt8(ascii: "\r") }
        if !keepingNewlines {
            bytes = bytes.map { $0 == UInt8(ascii: "\n") || $0 == UInt8(ascii: "\t") ? 0x20 : $0 }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}

/// UTF-8 to scalars, telling a broken character from one that goes on in the next piece. Unicode, table 3-7.
private struct Decoder {
    enum Unit {
        case scalar(Unicode.Scalar)
        case invalid
        case unfinished([UInt8])
    }

    private let bytes: [UInt8]
    private var position = 0

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    mutating func next() -> Unit? {
        guard position < bytes.count else { return nil }
        let first = bytes[position]
        if first < 0x80 {
            position += 1
            return .scalar(Unicode.Scalar(first))
        }
        guard let (length, second) = Self.shape(first) else {
            position += 1
            return .invalid
        }
        var value = UInt32(first) & (0x7F >> UInt32(length))
        for offset in 1..<length {
            guard position + offset < bytes.count else {
                defer { position = bytes.count }
                return .unfinished(Array(bytes[position...]))
            }
            let byte = bytes[position + offset]
            guard (offset == 1 ? second : 0x80...0xBF).contains(byte) else {
                position += offset
                return .invalid
            }
            value = value << 6 | UInt32(byte & 0x3F)
        }
        position += length
        return .scalar(Unicode.Scalar(value)!)
    }

    /// How long a character with this first byte is, and what its second byte may be.
    private static func shape(_ first: UInt8) -> (Int, ClosedRange<UInt8>)? {
        switch first {
        case 0xC2...0xDF: (2, 0x80...0xBF)
        case 0xE0: (3, 0xA0...0xBF)
        case 0xED: (3, 0x80...0x9F)
        case 0xE1...0xEF: (3, 0x80...0xBF)
        case 0xF0: (4, 0x90...0xBF)
        case 0xF1...0xF3: (4, 0x80...0xBF)
        case 0xF4: (4, 0x80...0x8F)
        default: nil
        }
    }
}
