extension DockerfileError: CustomStringConvertible {
    /// One line: `Dockerfile:3: unknown instruction RUM; did you mean RUN?`
    public var description: String { "\(file):\(range.start.line): \(problem)" }
}

extension DockerfileError.Problem: CustomStringConvertible {
    public var description: String { oneLine(message) }

    private var message: String {
        switch self {
        case .fileTooLarge(let limit): "the file is larger than \(limit) bytes"
        case .lineTooLong(let limit): "the line is longer than \(limit) bytes"
        case .notUTF8: "the text is not valid UTF-8"
        case .empty: "the file has no instructions"
        case .nothingContinued: "a line is continued, but no instruction follows"

        case .repeatedDirective(let name): "the parser directive \(name) may be given once only"
        case .invalidEscape(let value): "the escape character must be \\ or `, not \(value)"
        case .invalidCheck(let option):
            "invalid check option \(quoted(option)); known are skip=, error= and experimental="
        case .externalFrontEnd(let reference):
            "the external front end \(reference) is not supported; remove the syntax directive, "
                + "or name docker/dockerfile:1"

        case .unterminatedHeredoc(let marker): "the heredoc has no end: no line is just \(marker)"
        case .invalidHeredoc(let word): "malformed heredoc \(quoted(word))"
        case .tooManyHeredocs(let limit): "an instruction may have at most \(limit) heredocs"
        case .heredocAsDestination(let name): "\(name) cannot take a heredoc as its destination"
        case .unusedHeredoc(let marker):
            "the heredoc \(marker) would be dropped; write <<\(marker) as one word, without quotes"

        case .unknownInstruction(let name, let near):
            "unknown instruction \(name)" + didYouMean(near)
        case .missingArgument(let name): "\(name) requires at least one argument"
        case .exactlyOneArgument(let name): "\(name) requires exactly one argument"
        case .missingDestination(let name):
            "\(name) requires a source and a destination; only one was given"
        case .fromArguments: "FROM takes an image, or an image and AS with a name"
        case .missingValue(let name): "\(name) requires a name and a value"
        case .missingEquals(let name, let word):
            "\(name) takes name=value, but \(quoted(word)) has no ="
        case .blankName(let name): "\(name) needs a name before the ="
        case .blankVolume: "VOLUME cannot be an empty string"
        case .notAllStrings: "the JSON form takes strings only"
        case .jsonFormRequired(let name):
            "\(name) requires the JSON form, as in \(name) [\"/bin/bash\", \"-c\"]"
        case .invalidStageName(let name):
            "invalid stage name \(quoted(name)); it starts with a letter and has letters, digits, "
                + "'-', '_' and '.'"
        case .forbiddenTrigger(let name): "\(name) is not allowed in ONBUILD"
        case .healthcheckType(let word):
            "HEALTHCHECK takes CMD or NONE, not \(quoted(word))"
                + didYouMean(nearest(to: word, among: ["CMD", "NONE"]))
        case .healthcheckNoneArguments: "HEALTHCHECK NONE takes no arguments and no flags"
        case .missingHealthcheckCommand: "HEALTHCHECK CMD requires a command"
        case .invalidPort(let word): "invalid port \(quoted(word))"
        case .invalidSignal(let word):
            "invalid signal \(quoted(word))" + didYouMean(StopSignal.nearestName(to: word))

        case .unknownFlag(let flag, let name, let near):
            "unknown flag --\(flag) for \(name)" + didYouMean(near.map { "--" + $0 })
        case .repeatedFlag(let flag): "--\(flag) is given twice"
        case .missingFlagValue(let flag): "--\(flag) requires a value: --\(flag)=..."
        case .invalidFlagValue(let flag, let value, let expected):
            "invalid value \(quoted(value)) for --\(flag); expected \(expected)"
        case .variableInFrom(let flag):
            "\(flag) cannot contain a variable; name a stage with FROM and a global ARG instead"
        case .invalidDuration(let flag, let value):
            "invalid duration \(quoted(value)) for --\(flag); expected for example 30s or 1m30s"
        case .shortDuration(let flag, let value):
            "--\(flag)=\(value) is too short; the least is 1ms"

        case .malformedList(let flag): "--\(flag) has unbalanced quotes"
        case .unknownMountOption(let key, let near):
            "unknown mount option \(quoted(key))" + didYouMean(near)
        case .unknownMountType(let type, let near):
            "unknown mount type \(quoted(type))" + didYouMean(near)
        case .invalidMountOption(let key, let value):
            "invalid value \(quoted(value)) for \(key)" + didYouMean(nearestValue(key, value))
        case .mountOptionWithoutValue(let key): "\(quoted(key)) requires a value: \(key)=..."
        case .mountOptionNotForType(let key, let type):
            "the option \(key) is not for mounts of type \(type)"
        case .secretWithoutName: "a secret mount needs an id, a source or a target"
        case .secretWithSourceAndID: "a secret mount takes an id or a source, not both"
        case .repeatedDeviceName(let name): "the device is already named \(name)"

        case .noStages: "no FROM, so there is no stage to build"
        case .outsideStage(let name): "\(name) comes before the first FROM; only ARG may"
        case .blankBase(let word): "the base image \(quoted(word)) is empty"
        case .unknownStage(let name, let near):
            "no stage is named \(quoted(name))" + didYouMean(near)
        case .stageIndexOutOfRange(let index, let count):
            "there is no stage \(index); there are \(count), counted from 0"
        case .cyclicStages(let names):
            "cyclic stages: \(names.joined(separator: " needs "))"
        case .laterStage(let name): "the stage \(name) comes later; it must stand before its use"

        case .expansion(let error): "\(error)"
        }
    }
}

/// Only `sharing` takes one of a few words.
private func nearestValue(_ option: String, _ value: String) -> String? {
    guard option == "sharing" else { return nil }
    return nearest(to: value, among: RunMount.Sharing.allCases.map(\.rawValue))
}

private func quoted(_ text: String) -> String { "\"\(text)\"" }

private func didYouMean(_ word: String?) -> String {
    word.map { "; did you mean \($0)?" } ?? ""
}

/// Words of the input may hold line ends and terminal escapes; a message is one harmless line.
func oneLine(_ text: String) -> String {
    let limit = 400
    var result = String.UnicodeScalarView()
    for scalar in text.unicodeScalars {
        if result.count >= limit {
            result.append("…")
            break
        }
        switch scalar.properties.generalCategory {
        case .control, .format, .lineSeparator, .paragraphSeparator: result.append("\u{FFFD}")
        default: result.append(scalar)
        }
    }
    return String(result)
}
