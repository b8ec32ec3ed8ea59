extension DockerfileJSON {
    /// The fields of one instruction.
    static func arguments(of operation: Instruction.Operation) -> JSONText {
        switch operation {
        case .from(let from):
            .members([
                "as": from.asKeyword.map(word), "base": word(from.base),
                "name": from.name.map(word), "platform": from.platform.map(word),
            ])
        case .arg(let definitions):
            .list(
                definitions.map {
                    .members(["default": $0.defaultValue.map(word), "name": word($0.name)])
                })
        case .env(let pairs), .label(let pairs): .list(pairs.map(assignment))
        case .run(let run): self.run(run)
        case .copy(let copy): self.copy(copy)
        case .add(let add): self.add(add)
        case .cmd(let command), .entrypoint(let command): self.command(command)
        case .workdir(let argument), .user(let argument), .stopSignal(let argument),
            .maintainer(let argument):
            word(argument)
        case .expose(let items), .volume(let items), .shell(let items): .list(items.map(word))
        case .healthcheck(let check): healthcheck(check)
        case .onBuild(let trigger):
            .object([
                "expression": .string(trigger.expression),
                "trigger": instruction(trigger.instruction),
            ])
        }
    }

    private static func assignment(_ pair: Assignment) -> JSONText {
        .members([
            "legacy": truth(pair.isLegacy), "name": word(pair.name), "value": word(pair.value),
        ])
    }

    private static func command(_ command: CommandForm) -> JSONText {
        switch command {
        case .shell(let text): .object(["shell": word(text)])
        case .exec(let words): .object(["exec": .list(words.map(word))])
        }
    }

    private static func run(_ run: RunInstruction) -> JSONText {
        .members([
            "command": command(run.command),
            "devices": nonEmpty(run.devices.map(device)),
            "heredocs": nonEmpty(run.heredocs.map(heredoc)),
            "mounts": nonEmpty(run.mounts.map(mount)),
            "network": .optional(run.network?.rawValue),
            "security": .optional(run.security?.rawValue),
        ])
    }

    private static func device(_ device: RunInstruction.Device) -> JSONText {
        .members([
            "name": .string(device.name), "range": range(device.range),
            "required": truth(device.isRequired),
        ])
    }

    private static func mount(_ flag: MountFlag) -> JSONText {
        let options = flag.options.map { option in
            JSONText.members(["key": .string(option.key), "value": .optional(option.value)])
        }
        return .object(["options": .list(options), "word": word(flag.word)])
    }

    private static func copy(_ copy: CopyInstruction) -> JSONText {
        .members([
            "chmod": copy.mode.map(word), "chown": copy.owner.map(word),
            "exclude": nonEmpty(copy.excludes.map(word)), "from": copy.from.map(word),
            "link": truth(copy.isLinked), "parents": truth(copy.keepsParents),
            "sources": sources(copy.sources),
        ])
    }

    private static func add(_ add: AddInstruction) -> JSONText {
        .members([
            "checksum": add.checksum.map(word), "chmod": add.mode.map(word),
            "chown": add.owner.map(word), "exclude": nonEmpty(add.excludes.map(word)),
            "keepGitDir": add.keepsGitDirectory.map { .truth($0) }, "link": truth(add.isLinked),
            "sources": sources(add.sources), "unpack": add.unpacks.map { .truth($0) },
        ])
    }

    private static func sources(_ sources: Sources) -> JSONText {
        .members([
            "destination": word(sources.destination),
            "heredocs": nonEmpty(sources.heredocs.map(heredoc)),
            "json": truth(sources.isJSON), "paths": nonEmpty(sources.paths.map(word)),
        ])
    }

    private static func heredoc(_ heredoc: Heredoc) -> JSONText {
        .members([
            "body": .string(heredoc.body),
            "descriptor": heredoc.descriptor.flatMap { Int64(exactly: $0) }.map { .number($0) },
            "expands": .truth(heredoc.expands), "marker": .string(heredoc.marker),
            "range": range(heredoc.range), "stripsTabs": truth(heredoc.stripsTabs),
        ])
    }

    private static func healthcheck(_ check: Healthcheck) -> JSONText {
        func time(_ value: Int64) -> JSONText? { value == 0 ? nil : .number(value) }
        return .members([
            "command": check.command.map(command) ?? .string("NONE"),
            "interval": time(check.interval), "retries": time(Int64(check.retries)),
            "startInterval": time(check.startInterval), "startPeriod": time(check.startPeriod),
            "timeout": time(check.timeout),
        ])
    }
}
