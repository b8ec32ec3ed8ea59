import FoundationEssentials
import HTTP
import OCI

/// One error in the words of a registry, without what could harm a terminal.
///
/// OCI distribution-spec v1.1, "Error Codes".
public struct ServerMessage: Hashable, Sendable, CustomStringConvertible {
    public var code: String
    public var message: String

    public var description: String {
        switch (code.isEmpty, message.isEmpty) {
        case (false, false): "\(code): \(message)"
        case (false, true): code
        default: message
        }
    }

    /// Reads the body of an error; a body of another form gives nothing.
    static func parse(_ body: [UInt8]) -> [ServerMessage] {
        // Many servers in front of registries answer with a page; it says less than the status.
        guard let answer = try? JSONDecoder().decode(Answer.self, from: Data(body)) else {
            return []
        }
        return (answer.errors ?? []).prefix(5).map { error in
            ServerMessage(
                code: Harmless.text(error.code ?? "", limit: 64),
                message: Harmless.text(error.message ?? "", limit: 300))
        }.filter { !$0.code.isEmpty || !$0.message.isEmpty }
    }

    private struct Answer: Decodable {
        struct Entry: Decodable {
            var code: String?
            var message: String?
        }
        var errors: [Entry]?
    }
}

/// A `Retry-After` header: seconds or a date. RFC 9110, section 10.2.3.
enum RetryAfter {
    static func of(_ response: HTTPResponse) -> Duration? {
        let now = Timestamp(secondsSinceEpoch: Int64(Date().timeIntervalSince1970))
        return response.headers["Retry-After"].flatMap { parse($0, now: now) }
    }

    static func parse(_ value: String, now: Timestamp) -> Duration? {
        if let seconds = Int64(value), seconds >= 0 { return .seconds(min(seconds, 1 << 32)) }
        // Sun, 06 Nov 1994 08:49:37 GMT
        let words = value.split(separator: " ")
        guard words.count == 6, words[5] == "GMT", let month = months.firstIndex(of: words[2])
        else {
            return nil
        }
        let number = (month < 9 ? "0" : "") + String(month + 1)
        return Timestamp("\(words[3])-\(number)-\(words[1])T\(words[4])Z").map { time in
            .seconds(max(0, time.secondsSinceEpoch - now.secondsSinceEpoch))
        }
    }

    private static let months: [Substring] = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ]
}
