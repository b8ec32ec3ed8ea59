import Glibc

/// The process's environment as it is now: to be read once, where the command line becomes a request.
public func processEnvironment() -> [String: String] {
    var result: [String: String] = [:]
    var entry = environ
    while let line = entry.pointee {
        let text = String(cString: line)
        if let equals = text.firstIndex(of: "="), equals != text.startIndex {
            // The first of two is the one that getenv(3) finds.
            let name = String(text[..<equals])
            if result[name] == nil { result[name] = String(text[text.index(after: equals)...]) }
        }
        entry += 1
    }
    return result
}
