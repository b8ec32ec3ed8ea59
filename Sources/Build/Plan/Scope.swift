import Dockerfile
import OCI

/// The variables in front of the first FROM: ARGs with defaults, `--build-arg`, and the platforms.
struct GlobalScope: Sendable {
    private var values: [String: String]

    init(_ document: DockerfileDocument, request: BuildRequest) throws(DockerfileError) {
        values = Self.platformArguments(request)
        for instruction in document.globalArguments {
            guard case .arg(let definitions) = instruction.operation else { continue }
            for definition in definitions {
                let name = definition.name.text
                if let given = request.buildArguments[name] {
                    values[name] = given
                } else if let word = definition.defaultValue {
                    let known = values
                    values[name] = try document.expand(word) { known[$0] }.text
                }
            }
        }
    }

    func value(_ name: String) -> String? { values[name] }

    /// What BuildKit defines for every FROM, and for a stage that asks by ARG.
    static func platformArguments(_ request: BuildRequest) -> [String: String] {
        var values: [String: String] = [:]
        for (prefix, platform) in [("TARGET", request.platform), ("BUILD", Platform.host)] {
            values["\(prefix)PLATFORM"] = platform.description
            values["\(prefix)OS"] = platform.os
            values["\(prefix)ARCH"] = platform.architecture
            values["\(prefix)VARIANT"] = platform.variant
        }
        return values
    }
}

/// The variables of a stage, in the order in which they were set: what words see, and what a RUN gets.
struct StageScope: Sendable {
    /// Arguments that every build knows without an ARG; they reach RUNs, and neither history nor cache keys.
    /// Dockerfile reference, "Predefined ARGs".
    static let proxyArguments = ["HTTP_PROXY", "HTTPS_PROXY", "FTP_PROXY", "NO_PROXY", "ALL_PROXY"]

    private var order: [String] = []
    private var values: [String: String] = [:]
    /// Names that ARG set, in their order; ENV takes them over.
    private(set) var arguments: [String] = []

    /// - Parameter environment: of the base image's config, `NAME=value`.
    init(environment: [String]) {
        for entry in environment {
            let parts = entry.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            set(String(parts[0]), parts.count > 1 ? String(parts[1]) : "")
        }
    }

    func value(_ name: String) -> String? { values[name] }

    mutating func set(_ name: String, _ value: String) {
        if values.updateValue(value, forKey: name) == nil { order.append(name) }
    }

    mutating func setArgument(_ name: String, _ value: String?) {
        if !arguments.contains(name) { arguments.append(name) }
        if let value { set(name, value) }
    }

    mutating func setEnvironment(_ name: String, _ value: String) {
        arguments.removeAll { $0 == name }
        set(name, value)
    }

    /// All variables as `NAME=value`.
    var environment: [String] { order.map { "\($0)=\(values[$0]!)" } }

    /// The values of ARGs, for the history: `NAME=value`, sorted.
    var argumentValues: [String] {
        arguments.sorted().compactMap { name in values[name].map { "\(name)=\($0)" } }
    }
}
