/// An instant in UTC, as image documents write it: RFC 3339 with at most nine digits of a second.
///
/// `SOURCE_DATE_EPOCH` is `Timestamp(secondsSinceEpoch:)`.
///
/// RFC 3339, section 5.6.
public struct Timestamp: Hashable, Sendable {
    /// Seconds since 1970-01-01T00:00:00Z, negative before.
    public let secondsSinceEpoch: Int64
    /// 0...999999999, always counted forwards.
    public let nanoseconds: Int32

    /// The years 0001 to 9999 can be written; an instant outside them becomes the nearest of those.
    public init(secondsSinceEpoch: Int64, nanoseconds: Int32 = 0) {
        let inRange = min(max(secondsSinceEpoch, Self.earliest), Self.latest)
        self.secondsSinceEpoch = inRange
        self.nanoseconds = min(max(nanoseconds, 0), 999_999_999)
    }

    private static let earliest = days(fromYear: 1, month: 1, day: 1) * 86400
    private static let latest = days(fromYear: 10000, month: 1, day: 1) * 86400 - 1

    /// Reads `2024-05-06T07:08:09.123Z`, also with an offset; nil for anything else.
    public init?(_ text: some StringProtocol) {
        var reader = Reader(rest: text.utf8.map { $0 }[...])
        guard let year = reader.digits(4), year >= 1, reader.take("-"),
            let month = reader.digits(2), (1...12).contains(month), reader.take("-"),
            let day = reader.digits(2), (1...Self.lastDay(of: month, in: year)).contains(day),
            reader.take("Tt"), let hour = reader.digits(2), hour <= 23, reader.take(":"),
            let minute = reader.digits(2), minute <= 59, reader.take(":"),
            // A leap second is the last second of its minute: no clock here counts it.
            let second = reader.digits(2), second <= 60,
            let fraction = reader.fraction(), let offset = reader.offset(), reader.rest.isEmpty
        else { return nil }
        let seconds =
            Self.days(fromYear: year, month: month, day: day) * 86400
            + Int64(hour * 3600 + minute * 60 + min(second, 59)) - offset
        self.init(secondsSinceEpoch: seconds, nanoseconds: fraction)
    }

    /// The earlier of the two: what `SOURCE_DATE_EPOCH` does to a file's time.
    public func clamped(to latest: Timestamp) -> Timestamp { min(self, latest) }

    /// Days from 1970-01-01 in the proleptic Gregorian calendar; the year starts in March, so leap days come last.
    private static func days(fromYear year: Int, month: Int, day: Int) -> Int64 {
        let shifted = month > 2 ? year : year - 1
        let monthFromMarch = (month + 9) % 12
        let dayOfYear = (153 * monthFromMarch + 2) / 5 + day - 1
        let leapDays = shifted / 4 - shifted / 100 + shifted / 400
        return Int64(365 * shifted + leapDays + dayOfYear - 719468)
    }

    private static func lastDay(of month: Int, in year: Int) -> Int {
        switch month {
        case 2: year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28
        case 4, 6, 9, 11: 30
        default: 31
        }
    }
}

extension Timestamp: Comparable {
    public static func < (left: Timestamp, right: Timestamp) -> Bool {
        (left.secondsSinceEpoch, left.nanoseconds) < (right.secondsSinceEpoch, right.nanoseconds)
    }
}

extension Timestamp: CustomStringConvertible {
    /// RFC 3339 in UTC, the fraction without trailing zeros and only where there is one.
    public var description: String {
        let day = (Double(secondsSinceEpoch) / 86400).rounded(.down)
        let secondOfDay = Int(secondsSinceEpoch - Int64(day) * 86400)
        let (year, month, dayOfMonth) = Self.date(ofDay: Int(day))
        let clock = [secondOfDay / 3600, secondOfDay / 60 % 60, secondOfDay % 60]
        var text = Self.padded(year, 4) + "-" + Self.padded(month, 2) + "-"
        text += Self.padded(dayOfMonth, 2) + "T"
        text += clock.map { Self.padded($0, 2) }.joined(separator: ":")
        if nanoseconds > 0 {
            var fraction = Self.padded(Int(nanoseconds), 9)
            while fraction.last == "0" { fraction.removeLast() }
            text += "." + fraction
        }
        return text + "Z"
    }

    private static func date(ofDay day: Int) -> (year: Int, month: Int, day: Int) {
        let shifted = day + 719468  // days since 0000-03-01, never negative in our range
        let era = shifted / 146097
        let dayOfEra = shifted % 146097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36524 - dayOfEra / 146096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let monthFromMarch = (5 * dayOfYear + 2) / 153
        let month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9
        let dayOfMonth = dayOfYear - (153 * monthFromMarch + 2) / 5 + 1
        return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, dayOfMonth)
    }

    private static func padded(_ number: Int, _ width: Int) -> String {
        let digits = String(number)
        return String(repeating: "0", count: max(0, width - digits.count)) + digits
    }
}

extension Timestamp: Codable {
    public init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        guard let time = Timestamp(try container.decode(String.self)) else {
            throw DecodingError.dataCorruptedError(
                in: container, debugDescription: "not a time of RFC 3339")
        }
        self = time
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(description)
    }
}

private struct Reader {
    var rest: ArraySlice<UInt8>

    mutating func take(_ oneOf: String) -> Bool {
        guard let first = rest.first, oneOf.utf8.contains(first) else { return false }
        rest.removeFirst()
        return true
    }

    mutating func digits(_ count: Int) -> Int? {
        guard rest.count >= count else { return nil }
        var number = 0
        for _ in 0..<count {
            let digit = rest.removeFirst()
            guard (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(digit) else { return nil }
            number = number * 10 + Int(digit - UInt8(ascii: "0"))
        }
        return number
    }

    /// Nanoseconds; 0 without a fraction, nil for a dot without digits. Digits beyond the ninth are dropped.
    mutating func fraction() -> Int32? {
        guard take(".") else { return 0 }
        var nanoseconds: Int32 = 0
        var scale: Int32 = 100_000_000
        var count = 0
        while let digit = rest.first, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(digit) {
            rest.removeFirst()
            nanoseconds += Int32(digit - UInt8(ascii: "0")) * scale
            scale /= 10
            count += 1
        }
        return count > 0 ? nanoseconds : nil
    }

    /// Seconds that the local clock is ahead of UTC.
    mutating func offset() -> Int64? {
        if take("Zz") { return 0 }
        let sign: Int64 = rest.first == UInt8(ascii: "-") ? -1 : 1
        guard take("+-"), let hours = digits(2), hours <= 23, take(":"),
            let minutes = digits(2), minutes <= 59
        else { return nil }
        return sign * Int64(hours * 3600 + minutes * 60)
    }
}
