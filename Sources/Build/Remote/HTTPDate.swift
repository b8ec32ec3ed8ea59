import OCI

/// A date as HTTP writes it, in any of the three forms that a recipient must read.
///
/// RFC 9110, section 5.6.7.
struct HTTPDate: Equatable {
    var secondsSinceEpoch: Int64

    /// `Sun, 06 Nov 1994 08:49:37 GMT`, `Sunday, 06-Nov-94 08:49:37 GMT` or `Sun Nov  6 08:49:37 1994`; nil for anything else.
    init?(_ text: String) {
        let words = text.split(whereSeparator: { $0 == " " || $0 == "-" }).map(String.init)
        let parts: (day: String, month: String, year: String, time: String)
        if words.count == 6, words[0].hasSuffix(","), words[5] == "GMT" {
            parts = (words[1], words[2], words[3], words[4])
        } else if words.count == 5 {
            parts = (words[2], words[1], words[4], words[3])
        } else {
            return nil
        }
        guard let month = Self.months.firstIndex(of: parts.month), let day = UInt8(parts.day),
            var year = Int(parts.year)
        else { return nil }
        // Two digits: the same choice as Go's, which BuildKit reads dates with.
        if parts.year.utf8.count == 2 { year += year >= 69 ? 1900 : 2000 }
        let date =
            "\(Self.padded(year, 4))-\(Self.padded(month + 1, 2))-\(Self.padded(Int(day), 2))"
        guard let time = Timestamp("\(date)T\(parts.time)Z") else { return nil }
        secondsSinceEpoch = time.secondsSinceEpoch
    }

    private static let months = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ]

    private static func padded(_ number: Int, _ count: Int) -> String {
        let digits = String(number)
        return String(repeating: "0", count: max(0, count - digits.utf8.count)) + digits
    }
}
