import ArgumentParser
import Build
import OCI

extension BuildOptions {
    /// What was asked for, in the engine's words.
    ///
    /// - Parameter environment: for `--build-arg NAME` and SOURCE_DATE_EPOCH; nothing else is looked up in it.
    func request(environment: [String: String]) throws -> BuildRequest {
        var request = BuildRequest(context: .directory(context))
        for option in buildContexts { request.namedContexts[option.name] = option.context }
        request.dockerfile = file
        request.tags = unique(tags)
        request.pushes = pushes
        request.outputs = outputs
        for argument in buildArguments {
            // As in Docker, a name that the environment does not have leaves the ARG's default.
            guard let value = argument.value ?? environment[argument.name] else { continue }
            request.buildArguments[argument.name] = value
        }
        request.target = target
        if let platform { request.platform = platform }
        for label in labels { request.labels[label.name] = label.value }
        request.pull = pull
        request.usesCache = !noCache
        request.network = network
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
        request.sourceDateEpoch = try sourceDateEpoch(
            request.buildArguments["SOURCE_DATE_EPOCH"] ?? environment["SOURCE_DATE_EPOCH"])
        request.plainHTTPRegistries = registries.plainHTTPRegistries
        request.insecureRegistries = registries.insecureRegistries
        // `validate` has refused a level that there is not.
        if let encoding = LayerEncoding(compression, level: compressionLevel) {
            request.layerEncoding = encoding
        }
        return request
    }

    private func sourceDateEpoch(_ text: String?) throws -> Int64? {
        guard let text, !text.isEmpty else { return nil }
        guard let seconds = Int64(text), seconds >= 0 else {
            throw ValidationError(
                "SOURCE_DATE_EPOCH is \"\(Sanitizer.clean(text))\", not seconds since 1970")
        }
        return seconds
    }

    /// In their order, each once.
    private func unique(_ tags: [Reference]) -> [Reference] {
        var seen: Set<Reference> = []
        return tags.filter { seen.insert($0).inserted }
    }
}
