/// Fields of a line of comma-separated values; nil if its quotes do not match.
func commaSeparated(_ text: String) -> [String]? {
    var fields: [String] = []
    var field: [Unicode.Scalar] = []
    let scalars = Array(text.unicodeScalars)
    var index = 0
    while true {
        if index < scalars.count, scalars[index] == "\"" {
            index += 1
            while true {
                guard index < scalars.count else { return nil }
                if scalars[index] == "\"" {
                    index += 1
                    guard index < scalars.count, scalars[index] == "\"" else { break }
                }
                field.append(scalars[index])
                index += 1
            }
            guard index == scalars.count || scalars[index] == "," else { return nil }
        } else {
            while index < scalars.count, scalars[index] != "," {
                guard scalars[index] != "\"" else { return nil }
                field.append(scalars[index])
                index += 1
            }
        }
        fields.append(String(field))
        field = []
        guard index < scalars.count else { return fields }
        index += 1
    }
}
