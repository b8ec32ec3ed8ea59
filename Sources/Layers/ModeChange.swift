/// What `--chmod` says: a mode in octal, or changes in the symbols of chmod(1) with a umask of 0.
public struct ModeChange: Equatable, Sendable {
    private struct Change: Equatable, Sendable {
        enum Bits: Equatable, Sendable {
            /// Of "rwxst", in the places of all three classes; `X` apart.
            case named(UInt16, executableIfAny: Bool)
            /// What a class has now: "g=u".
            case copied(shift: UInt16)
        }

        /// The places of the classes that are meant, with setuid and setgid, and sticky for "a".
        var mask: UInt16
        var operation: UInt8
        var bits: Bits
    }

    private enum Form: Equatable, Sendable {
        case octal(UInt16)
        case symbolic([Change])
    }

    private var form: Form

    /// Nil where `text` is neither octal up to 07777 nor symbolic.
    public init?(_ text: String) {
        if !text.isEmpty, text.utf8.allSatisfy({ (0x30...0x37).contains($0) }) {
            guard let mode = UInt16(text, radix: 8), mode <= 0o7777 else { return nil }
            form = .octal(mode)
            return
        }
        var changes: [Change] = []
        for clause in text.utf8.split(
            separator: UInt8(ascii: ","), omittingEmptySubsequences: false)
        {
            guard let parsed = Self.changes(of: clause) else { return nil }
            changes += parsed
        }
        form = .symbolic(changes)
    }

    /// The mode that directories get which are made on the way.
    public var modeOfImplicitDirectories: UInt16 {
        if case .octal(let mode) = form { mode & 0o777 } else { 0o755 }
    }

    public func applied(to mode: UInt16, isDirectory: Bool) -> UInt16 {
        switch form {
        case .octal(let mode): mode
        case .symbolic(let changes):
            changes.reduce(mode) { Self.apply($1, to: $0, isDirectory: isDirectory) }
        }
    }

    private static func apply(_ change: Change, to mode: UInt16, isDirectory: Bool) -> UInt16 {
        var bits: UInt16
        switch change.bits {
        case .named(let named, let executableIfAny):
            bits = named
            if executableIfAny, isDirectory || mode & 0o111 != 0 { bits |= 0o111 }
        case .copied(let shift):
            let taken = (mode >> shift) & 0o7
            bits = taken << 6 | taken << 3 | taken
        }
        bits &= change.mask
        switch change.operation {
        case UInt8(ascii: "+"): return mode | bits
        case UInt8(ascii: "-"): return mode & ~bits
        default: return mode & ~change.mask | bits
        }
    }

    /// `[ugoa]*` and then one or more of an operator and its bits.
    private static func changes(of clause: Substring.UTF8View.SubSequence) -> [Change]? {
        var rest = Array(clause)[...]
        var mask: UInt16 = 0
        while let letter = rest.first, let places = classes[letter] {
            mask |= places
            rest.removeFirst()
        }
        if mask == 0 { mask = 0o7777 }
        var changes: [Change] = []
        while let operation = rest.popFirst() {
            guard operators.contains(operation) else { return nil }
            let end = rest.firstIndex(where: operators.contains) ?? rest.endIndex
            guard let bits = bits(rest[..<end]) else { return nil }
            changes.append(Change(mask: mask, operation: operation, bits: bits))
            rest = rest[end...]
        }
        return changes.isEmpty ? nil : changes
    }

    private static func bits(_ letters: ArraySlice<UInt8>) -> Change.Bits? {
        if letters.count == 1, let shift = copies[letters.first!] { return .copied(shift: shift) }
        var named: UInt16 = 0
        var executableIfAny = false
        for letter in letters {
            if letter == UInt8(ascii: "X") {
                executableIfAny = true
            } else if let bits = permissions[letter] {
                named |= bits
            } else {
                return nil
            }
        }
        return .named(named, executableIfAny: executableIfAny)
    }

    private static let operators = Array("+-=".utf8)
    private static let classes: [UInt8: UInt16] = [
        UInt8(ascii: "u"): 0o4700, UInt8(ascii: "g"): 0o2070, UInt8(ascii: "o"): 0o1007,
        UInt8(ascii: "a"): 0o7777,
    ]
    private static let copies: [UInt8: UInt16] = [
        UInt8(ascii: "u"): 6, UInt8(ascii: "g"): 3, UInt8(ascii: "o"): 0,
    ]
    private static let permissions: [UInt8: UInt16] = [
        UInt8(ascii: "r"): 0o444, UInt8(ascii: "w"): 0o222, UInt8(ascii: "x"): 0o111,
        UInt8(ascii: "s"): 0o6000, UInt8(ascii: "t"): 0o1000,
    ]
}
