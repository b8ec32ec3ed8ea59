import ArgumentParser
import Build
import OCI

extension BuildOptions {
    /// What was asked for, in the engine's words.
    ///
    /// - Parameter environment: for `--build-arg NAME` and SOURCE_DATE_EPOCH; nothing else is looked up in it.
    func request(environment: [String: String]) throws -> BuildRequest {
        var request = BuildRequest(context: try ContextWord.context(context))
        for option in buildContexts { request.namedContexts[option.name] = option.context }
        // `-` is read by the command, not by the one who looks at its words.
        if dockerfile.file != StandardInput.word { request.dockerfile = dockerfile.file }
        request.tags = unique(tags)
        request.pushes = pushes
        request.outputs = outputs
        request.buildArguments = buildArguments.values(environment)
        request.target = target
        if let platform { request.platforms = platform.platforms }
        for label in labels { request.labels[label.name] = label.value }
        request.pull = pull
        request.usesCache = !noCache
        request.network = network.network
        request.allowances = Set(network.allowances)
        request.isolation = isolation
        request.snapshotter = snapshotter
        request.ids = ids
        request.limits = limits.limits
        for option in secrets { request.secrets[option.id] = option.source }
        for option in agents {
            guard let socket = option.socket ?? environment["SSH_AUTH_SOCK"] else {
                throw ValidationError("--ssh \(option.id) needs SSH_AUTH_SOCK, which is not set")
            }
            request.agents[option.id] = socket
        }
        request.jobs = jobs
        request.sourceDateEpoch = try SourceDateEpoch.seconds(
            request.buildArguments["SOURCE_DATE_EPOCH"] ?? environment["SOURCE_DATE_EPOCH"])
        request.plainHTTPRegistries = registries.plainHTTPRegistries
        request.insecureRegistries = registries.insecureRegistries
        // `validate` has refused a level that there is not.
        if let encoding = LayerEncoding(compression, level: compressionLevel) {
            request.layerEncoding = encoding
        }
        return request
    }

    /// In their order, each once.
    private func unique(_ tags: [Reference]) -> [Reference] {
        var seen: Set<Reference> = []
        return tags.filter { seen.insert($0).inserted }
    }
}
