/// The variables in front of the first FROM: its ARGs with their defaults, what the command line gives, and what every build knows.
///
/// FROM sees them; a stage that asks by ARG gets their values.
public struct GlobalScope: Sendable, Equatable {
    private var values: [String: String]
    /// Names that an ARG in front of the first FROM declares, with a value or without.
    public let declared: Set<String>

    /// - Parameters:
    ///   - arguments: of the command line. They count for names that an ARG declares.
    ///   - predefined: what needs no ARG here, as `TARGETPLATFORM`.
    public init(
        _ document: DockerfileDocument, arguments: [String: String], predefined: [String: String]
    ) throws(DockerfileError) {
        values = predefined
        var declared: Set<String> = []
        for instruction in document.globalArguments {
            guard case .arg(let definitions) = instruction.operation else { continue }
            for definition in definitions {
                let name = definition.name.text
                declared.insert(name)
                if let given = arguments[name] {
                    values[name] = given
                } else if let word = definition.defaultValue {
                    let known = values
                    values[name] = try document.expand(word) { known[$0] }.text
                }
            }
        }
        self.declared = declared
    }

    public func value(_ name: String) -> String? { values[name] }

    /// Every name that means something in FROM.
    public var names: Set<String> { declared.union(values.keys) }
}
