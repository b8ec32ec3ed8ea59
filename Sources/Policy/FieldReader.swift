/// Takes the fields of a JSON object one by one, and refuses what nobody took.
struct FieldReader {
    private var fields: [String: JSONNode]
    let place: Place

    init(_ node: JSONNode, at place: Place) throws(PolicyError) {
        self.place = place
        guard case .object(let fields) = node.value else {
            throw PolicyError(.wrongType(expected: "an object"), at: place)
        }
        self.fields = fields
    }

    /// The field and its place; nil if it is absent or null, which is how Go writes an absent list.
    mutating func take(_ name: String) -> (node: JSONNode, place: Place)? {
        guard let node = fields.removeValue(forKey: name), node.value != .null else { return nil }
        return (node, place.field(name, line: node.line))
    }

    mutating func string(_ name: String) throws(PolicyError) -> String? {
        guard let (node, place) = take(name) else { return nil }
        return try node.string(at: place)
    }

    /// An integer up to `limit`, written without fraction or exponent.
    mutating func integer(_ name: String, upTo limit: UInt64 = .max) throws(PolicyError) -> UInt64?
    {
        guard let (node, place) = take(name) else { return nil }
        guard case .number(let digits) = node.value else {
            throw PolicyError(.wrongType(expected: "a number"), at: place)
        }
        let isPlain = digits.utf8.allSatisfy {
            (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0)
        }
        guard isPlain, digits == "0" || !digits.hasPrefix("0"), let value = UInt64(digits) else {
            throw PolicyError(.outOfRange("must be a whole number below 2^64"), at: place)
        }
        if value > limit { throw PolicyError(.outOfRange("must be at most \(limit)"), at: place) }
        return value
    }

    mutating func strings(
        _ name: String, limit: Int = PolicyLimits.listEntries
    ) throws(PolicyError) -> [String]? {
        guard let elements = try array(name, limit: limit) else { return nil }
        var strings: [String] = []
        for (node, place) in elements { strings.append(try node.string(at: place)) }
        return strings
    }

    mutating func array(
        _ name: String, limit: Int = PolicyLimits.listEntries
    ) throws(PolicyError) -> [(node: JSONNode, place: Place)]? {
        guard let (node, place) = take(name) else { return nil }
        guard case .array(let elements) = node.value else {
            throw PolicyError(.wrongType(expected: "a list"), at: place)
        }
        guard elements.count <= limit else {
            throw PolicyError(.tooLarge(what: "entries", limit: limit), at: place)
        }
        return elements.enumerated().map { index, element in
            (element, place.element(index, line: element.line))
        }
    }

    /// Ends the object: a field that is left is one we don't know.
    func finish() throws(PolicyError) {
        guard let (name, node) = fields.min(by: { $0.key < $1.key }) else { return }
        var place = place
        place.line = node.line
        throw PolicyError(.unknownField(name), at: place)
    }
}

extension JSONNode {
    func string(at place: Place) throws(PolicyError) -> String {
        guard case .string(let string) = value else {
            throw PolicyError(.wrongType(expected: "a string"), at: place)
        }
        return string
    }
}
