/// One claim about one argument of a call, as a profile writes it.
public struct ArgumentCondition: Hashable, Sendable {
    public enum Test: Hashable, Sendable {
        case equal(UInt64)
        case notEqual(UInt64)
        case less(UInt64)
        case lessOrEqual(UInt64)
        case greater(UInt64)
        case greaterOrEqual(UInt64)
        /// `argument & mask == value`
        case masked(UInt64, equals: UInt64)
    }

    /// 0...5
    public var argument: Int
    public var test: Test

    public init(argument: Int, test: Test) {
        self.argument = argument
        self.test = test
    }
}

/// How much of an argument's register the kernel looks at.
public enum ArgumentWidth: Int, Hashable, Sendable {
    case bits16 = 16
    case bits32 = 32
    case bits64 = 64

    var mask: UInt64 { self == .bits64 ? .max : 1 << UInt64(rawValue) - 1 }
}

/// A condition on what the kernel sees: both sides cut to the argument's width, and compared without sign.
public struct TypedCondition: Hashable, Sendable {
    public var argument: Int
    public var width: ArgumentWidth
    /// Its values fit into `width`.
    public var test: ArgumentCondition.Test

    /// Whether the condition is true of a call with these six registers.
    public func holds(for arguments: [UInt64]) -> Bool {
        let seen = arguments[argument] & width.mask
        return switch test {
        case .equal(let value): seen == value
        case .notEqual(let value): seen != value
        case .less(let value): seen < value
        case .lessOrEqual(let value): seen <= value
        case .greater(let value): seen > value
        case .greaterOrEqual(let value): seen >= value
        case .masked(let mask, let value): seen & mask == value
        }
    }

    /// Cuts a condition to the width of its argument.
    ///
    /// A value may be written as the register would hold it, with the sign carried up (`-1` as 2⁶⁴ − 1 for an int).
    /// Any other value that doesn't fit is refused: the author meant something that can't be.
    init(_ condition: ArgumentCondition, width: ArgumentWidth, at place: Place) throws(PolicyError)
    {
        func cut(_ value: UInt64) throws(PolicyError) -> UInt64 {
            let low = value & width.mask
            let sign = 1 << UInt64(width.rawValue - 1) as UInt64
            let isSignExtended = value == low | ~width.mask && low & sign != 0
            guard value == low || isSignExtended else {
                throw PolicyError(
                    .outOfRange(
                        "argument \(condition.argument) has \(width.rawValue) bits, \(value) has more"
                    ),
                    at: place)
            }
            return low
        }
        argument = condition.argument
        self.width = width
        switch condition.test {
        case .equal(let value): test = .equal(try cut(value))
        case .notEqual(let value): test = .notEqual(try cut(value))
        case .less(let value): test = .less(try cut(value))
        case .lessOrEqual(let value): test = .lessOrEqual(try cut(value))
        case .greater(let value): test = .greater(try cut(value))
        case .greaterOrEqual(let value): test = .greaterOrEqual(try cut(value))
        case .masked(let mask, let value):
            guard value & ~mask == 0 else {
                throw PolicyError(
                    .contradiction("the value \(value) has bits outside its mask \(mask)"),
                    at: place)
            }
            test = .masked(mask & width.mask, equals: try cut(value))
        }
    }
}

extension TypedCondition: CustomStringConvertible {
    public var description: String { "a\(argument):\(width.rawValue) \(test)" }
}

extension ArgumentCondition: CustomStringConvertible {
    public var description: String { "a\(argument) \(test)" }
}

extension ArgumentCondition.Test: CustomStringConvertible {
    public var description: String {
        switch self {
        case .equal(let value): "== \(value)"
        case .notEqual(let value): "!= \(value)"
        case .less(let value): "< \(value)"
        case .lessOrEqual(let value): "<= \(value)"
        case .greater(let value): "> \(value)"
        case .greaterOrEqual(let value): ">= \(value)"
        case .masked(let mask, let value): "& \(mask) == \(value)"
        }
    }
}
