import Dockerfile
import OCI

extension GlobalScope {
    /// - Parameter platform: what is built for.
    init(
        _ document: DockerfileDocument, request: BuildRequest, for platform: Platform
    ) throws(DockerfileError) {
        try self.init(
            document, arguments: request.buildArguments,
            predefined: Self.predefinedArguments(document, request, for: platform))
    }

    /// What BuildKit defines for every FROM, and for a stage that asks by ARG. The command line may say otherwise.
    static func predefinedArguments(
        _ document: DockerfileDocument, _ request: BuildRequest, for platform: Platform
    ) -> [String: String] {
        let target = request.target ?? document.stages.last?.name ?? "default"
        var values = ["TARGETSTAGE": target]
        for (prefix, platform) in [("TARGET", platform), ("BUILD", Platform.host)] {
            values["\(prefix)PLATFORM"] = platform.description
            values["\(prefix)OS"] = platform.os
            values["\(prefix)OSVERSION"] = platform.osVersion
            values["\(prefix)ARCH"] = platform.architecture
            values["\(prefix)VARIANT"] = platform.variant
        }
        return values.merging(request.buildArguments.filter { values[$0.key] != nil }) { $1 }
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
