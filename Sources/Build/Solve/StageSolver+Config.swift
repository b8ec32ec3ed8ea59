import Dockerfile
import OCI

/// The instructions that change the image's config and no file.
extension StageSolver {
    mutating func configure(_ instruction: Instruction) throws {
        let createdBy: String
        switch instruction.operation {
        case .arg(let definitions):
            createdBy = try defineArguments(definitions)
        case .env(let assignments):
            let pairs = try expand(assignments)
            for (name, value) in pairs {
                state.scope.setEnvironment(name, value)
                setEnvironment(name, value)
            }
            createdBy = CreatedBy.env(pairs)
        case .label(let assignments):
            let pairs = try expand(assignments)
            for (name, value) in pairs { state.config.config.labels[name] = value }
            createdBy = CreatedBy.label(pairs)
        case .user(let word):
            state.config.config.user = try expand(word)
            createdBy = CreatedBy.user(state.config.config.user)
        case .cmd(let command):
            state.config.config.cmd = command.arguments(shell: state.shell)
            hasOwnCommand = true
            createdBy = CreatedBy.cmd(state.config.config.cmd)
        case .entrypoint(let command):
            state.config.config.entrypoint = command.arguments(shell: state.shell)
            // An inherited CMD was meant for another entry point. Dockerfile reference, "CMD and ENTRYPOINT".
            if !hasOwnCommand { state.config.config.cmd = [] }
            createdBy = CreatedBy.entrypoint(state.config.config.entrypoint)
        case .expose(let words): createdBy = try expose(words)
        case .volume(let words):
            let paths = try words.map { try expand($0) }
            state.config.config.volumes.formUnion(paths)
            createdBy = CreatedBy.volume(paths)
        case .stopSignal(let word):
            let signal = try expand(word)
            guard StopSignal.isValid(signal) else {
                throw session.document.error(.invalidSignal(signal), at: word.range)
            }
            state.config.config.stopSignal = signal
            createdBy = CreatedBy.stopSignal(signal)
        case .shell(let words):
            state.config.config.shell = words.map(\.text)
            createdBy = CreatedBy.shell(state.config.config.shell)
        case .healthcheck(let check):
            state.config.config.healthcheck = OCI.Healthcheck(check, shell: state.shell)
            createdBy = CreatedBy.healthcheck(check)
        case .maintainer(let word):
            state.config.author = try expand(word)
            createdBy = CreatedBy.maintainer(state.config.author)
        case .onBuild(let trigger):
            // For those who build on this image; like BuildKit, without a place in its history.
            state.config.config.onBuild.append(trigger.expression)
            return
        case .from, .run, .copy, .add, .workdir:
            // Steps are carried out elsewhere.
            return
        }
        addHistory(createdBy, isEmpty: true)
    }

    /// Names and values of ENV and LABEL; every one sees the variables before the instruction.
    private func expand(_ assignments: [Assignment]) throws -> [(name: String, value: String)] {
        try assignments.map { (try expand($0.name), try expand($0.value)) }
    }

    private mutating func setEnvironment(_ name: String, _ value: String) {
        let entry = "\(name)=\(value)"
        if let index = state.config.config.env.firstIndex(where: { $0.hasPrefix("\(name)=") }) {
            state.config.config.env[index] = entry
        } else {
            state.config.config.env.append(entry)
        }
    }

    /// An ARG takes its value from the command line, else its default, else a global ARG or a platform argument of that name.
    private mutating func defineArguments(_ definitions: [ArgumentDefinition]) throws -> String {
        let global = try GlobalScope(
            session.document, request: session.request, for: plan.platform)
        var pairs: [(name: String, value: String?)] = []
        for definition in definitions {
            let name = definition.name.text
            let value: String? =
                if let given = session.request.buildArguments[name] {
                    given
                } else if let word = definition.defaultValue {
                    try expand(word)
                } else { global.value(name) }
            state.scope.setArgument(name, value)
            pairs.append((name, value))
        }
        return CreatedBy.arg(pairs)
    }

    private mutating func expose(_ words: [Word]) throws -> String {
        var ports: [String] = []
        for word in words {
            for text in try expansion(word).words {
                guard let parsed = ExposedPort.parse(text) else {
                    throw session.document.error(.invalidPort(text), at: word.range)
                }
                ports += parsed
            }
        }
        state.config.config.exposedPorts.formUnion(ports)
        return CreatedBy.expose(ports)
    }
}

extension OCI.Healthcheck {
    /// As the config records it; zero means "inherit", and is left out.
    init(_ check: Dockerfile.Healthcheck, shell: [String]) {
        self.init(test: check.test)
        interval = check.interval > 0 ? .nanoseconds(check.interval) : nil
        timeout = check.timeout > 0 ? .nanoseconds(check.timeout) : nil
        startPeriod = check.startPeriod > 0 ? .nanoseconds(check.startPeriod) : nil
        startInterval = check.startInterval > 0 ? .nanoseconds(check.startInterval) : nil
        retries = check.retries > 0 ? check.retries : nil
    }
}
