import FoundationEssentials

/// The events of `--progress rawjson` as the tables of docs/progress.md have them, to hold lines against.
public struct ProgressSchema {
    private struct Key {
        var type: String
        var isRequired: Bool
    }

    fileprivate enum Value: Decodable {
        case flag(Bool)
        case integer(Int64)
        case number(Double)
        case text(String)

        init(from decoder: any Decoder) throws {
            let container = try decoder.singleValueContainer()
            if let flag = try? container.decode(Bool.self) {
                self = .flag(flag)
            } else if let integer = try? container.decode(Int64.self) {
                self = .integer(integer)
            } else if let number = try? container.decode(Double.self) {
                self = .number(number)
            } else {
                self = .text(try container.decode(String.self))
            }
        }

        func has(_ type: String) -> Bool {
            switch (self, type) {
            case (.flag, "flag"), (.integer, "integer"), (.text, "text"): true
            case (.integer(let count), "seconds"): count >= 0
            case (.number(let seconds), "seconds"): seconds >= 0
            default: false
            }
        }
    }

    /// One valid line.
    public struct Line {
        public var event: String
        private var values: [String: Value]

        fileprivate init(_ event: String, _ values: [String: Value]) {
            (self.event, self.values) = (event, values)
        }

        public func text(_ key: String) -> String? {
            if case .text(let text) = values[key] { text } else { nil }
        }

        public func integer(_ key: String) -> Int64? {
            if case .integer(let number) = values[key] { number } else { nil }
        }

        public func flag(_ key: String) -> Bool? {
            if case .flag(let flag) = values[key] { flag } else { nil }
        }
    }

    private var common: [String: Key] = [:]
    private var keys: [String: [String: Key]] = [:]
    /// The example lines, each with the event that it stands under.
    public private(set) var examples: [(event: String, line: String)] = []

    public var events: Set<String> { Set(keys.keys) }

    /// Reads the page: a section of the third level for each event, with a table and an example.
    public init() throws {
        let url = URL(filePath: TestHost.sources + "/docs/progress.md")
        let page = String(decoding: try Data(contentsOf: url), as: UTF8.self)
        guard let begin = page.firstRange(of: "## `--progress rawjson`") else {
            throw TestSupportError("docs/progress.md has no section about rawjson")
        }
        var event: String?
        for line in page[begin.upperBound...].split(separator: "\n") {
            if line.hasPrefix("### ") {
                event = String(line.dropFirst(4))
                keys[event!] = common
            } else if line.hasPrefix("    {"), let event {
                examples.append((event, String(line.drop { $0 == " " })))
            } else if let (name, key) = Self.row(line) {
                if let event { keys[event]?[name] = key } else { common[name] = key }
            }
        }
    }

    /// `| `name` | type | always | … |`
    private static func row(_ line: Substring) -> (String, Key)? {
        let cells = line.split(separator: "|").map {
            $0.split(separator: " ").joined(separator: " ")
        }
        guard line.hasPrefix("| `"), cells.count >= 4 else { return nil }
        let name = cells[0].filter { $0 != "`" }
        return (name, Key(type: cells[1], isRequired: cells[2] == "always"))
    }

    /// Holds a line against the table of its event.
    ///
    /// - Throws: `TestSupportError`, saying what is not as documented.
    public func line(_ text: String) throws -> Line {
        guard let values = try? JSONDecoder().decode([String: Value].self, from: Data(text.utf8))
        else { throw TestSupportError("no JSON object of plain values: \(text)") }
        guard case .text(let event) = values["event"], let keys = keys[event] else {
            throw TestSupportError("an event that is not documented: \(text)")
        }
        for (name, value) in values {
            guard let key = keys[name], value.has(key.type) else {
                throw TestSupportError("\(event).\(name) is not as documented: \(text)")
            }
        }
        for (name, key) in keys where key.isRequired && values[name] == nil {
            throw TestSupportError("\(event) has no \(name): \(text)")
        }
        return Line(event, values)
    }

    /// All lines of a standard error.
    public func lines(_ text: String) throws -> [Line] {
        try text.split(separator: "\n").map { try line(String($0)) }
    }
}
