import Limits

/// Puts an answer together from the pieces that libcurl hands out.
struct ResponseReader {
    struct TooLarge: Error { var problem: HTTPError.Problem }

    private(set) var response = HTTPResponse(status: 0, headers: [:], body: [])
    private(set) var isHeaderComplete = false
    var use = HTTPBodyUse.excerpt(limit: 0)
    private var headerBytes = 0
    private var bodyBytes = 0

    /// All lines of an answer's header together.
    static let maximumHeaderBytes = Limit.httpHeader
    static let maximumHeaderFields = Limit.httpHeaderFields
    /// What is read of a body that nobody wants, so that its connection can be used again.
    static let maximumUnreadBytes = Limit.httpUnread

    /// Takes one line; true when it ended the header of the final answer.
    ///
    /// Interim answers (100 and so on) are forgotten; fields after the body are not looked at.
    mutating func addHeaderLine(_ bytes: UnsafeRawBufferPointer) throws -> Bool {
        if isHeaderComplete { return false }
        headerBytes += bytes.count
        guard headerBytes <= Self.maximumHeaderBytes,
            response.headers.fields.count < Self.maximumHeaderFields
        else { throw TooLarge(problem: .headersTooLarge) }
        let line = String(decoding: bytes, as: UTF8.self)
            .trimmingLineEnd()
        if line.hasPrefix("HTTP/") {
            let status = line.split(separator: " ").dropFirst().first.flatMap { Int($0) }
            response = HTTPResponse(status: status ?? 0, headers: [:], body: [])
        } else if line.isEmpty {
            isHeaderComplete = response.status >= 200
            return isHeaderComplete
        } else if let colon = line.firstIndex(of: ":") {
            let value = line[line.index(after: colon)...]
            response.headers.add(String(line[..<colon]), value.trimmingBlanks())
        }
        return false
    }

    mutating func addBody(_ bytes: UnsafeRawBufferPointer) throws {
        switch use {
        case .excerpt(let limit):
            bodyBytes += bytes.count
            guard bodyBytes <= Self.maximumUnreadBytes else {
                throw TooLarge(problem: .tooLarge(limit: Self.maximumUnreadBytes))
            }
            response.body.append(contentsOf: bytes.prefix(max(0, limit - response.body.count)))
        case .stream(let sink): try sink(bytes)
        case .collect(let limit):
            if response.body.count + bytes.count > limit {
                throw TooLarge(problem: .tooLarge(limit: limit))
            }
            response.body.append(contentsOf: bytes)
        }
    }
}

extension StringProtocol {
    fileprivate func trimmingLineEnd() -> String {
        // As Unicode has it, CR LF is one character.
        String(String.UnicodeScalarView(unicodeScalars.prefix { $0 != "\r" && $0 != "\n" }))
    }

    fileprivate func trimmingBlanks() -> String {
        let isBlank = { (character: Character) in character == " " || character == "\t" }
        let tail = drop(while: isBlank)
        let end = tail.lastIndex { !isBlank($0) }
        return end.map { String(tail[...$0]) } ?? ""
    }
}
