import ArgumentParser
import Build
import OCI

/// `--build-arg NAME=value`, or NAME alone.
struct BuildArgument: Equatable {
    var name: String
    /// Nil where the environment is to give it.
    var value: String?

    init(parsing text: String) throws {
        let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        name = String(parts[0])
        value = parts.count == 2 ? String(parts[1]) : nil
        if name.isEmpty { throw ValidationError("a name is missing before \"=\"") }
    }
}

extension [BuildArgument] {
    /// By their names. As in Docker, a name that the environment does not have leaves the ARG's default.
    func values(_ environment: [String: String]) -> [String: String] {
        var values: [String: String] = [:]
        for argument in self {
            guard let value = argument.value ?? environment[argument.name] else { continue }
            values[argument.name] = value
        }
        return values
    }
}

/// `SOURCE_DATE_EPOCH`, of the environment or as a build argument.
enum SourceDateEpoch {
    static func seconds(_ text: String?) throws -> Int64? {
        guard let text, !text.isEmpty else { return nil }
        guard let seconds = Int64(text), seconds >= 0 else {
            throw ValidationError(
                "SOURCE_DATE_EPOCH is \"\(Sanitizer.clean(text))\", not seconds since 1970")
        }
        return seconds
    }
}

/// `--label name=value`; a name alone has the empty value, as in Docker.
struct Label: Equatable {
    var name: String
    var value: String

    init(parsing text: String) throws {
        let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        name = String(parts[0])
        value = parts.count == 2 ? String(parts[1]) : ""
        if name.isEmpty { throw ValidationError("a name is missing before \"=\"") }
    }
}

extension Reference {
    /// A name to give an image: a digest is what it will have, not what it may be told.
    init(tag text: String) throws {
        let reference = try Reference(named: text)
        if reference.digest != nil {
            throw ValidationError("a name for an image has no digest; write repository:tag")
        }
        self = reference
    }

    /// Any image's name.
    init(named text: String) throws {
        do throws(ReferenceError) { self = try Reference(parsing: text) } catch {
            throw ValidationError("\(error)")
        }
    }
}

extension Platform {
    /// Of a command that is about one platform.
    init(option text: String) throws {
        if text.contains(",") {
            throw ValidationError("one platform at a time; build, plan and pull take several")
        }
        do throws(PlatformError) { self = try Platform(parsing: text) } catch {
            throw ValidationError("\(error)")
        }
    }
}

/// `--platform linux/amd64,linux/arm64`: in the order as typed, each once.
struct PlatformList: Equatable {
    var platforms: [Platform] = []

    init(parsing text: String) throws {
        for word in text.split(separator: ",", omittingEmptySubsequences: false) {
            let platform = try Platform(option: String(word))
            if !platforms.contains(platform) { platforms.append(platform) }
        }
    }
}

/// What can stand for the build context.
enum ContextWord {
    /// What `word` means to a build: `-` is standard input, an address is of the network, and all else is a directory.
    static func context(_ word: String) throws -> BuildRequest.Context {
        if word.isEmpty {
            throw ValidationError("the build context is empty; for this directory write .")
        }
        if word == StandardInput.word { return .standardInput }
        if let remote = try remote(word) { return .remote(remote) }
        if let colon = word.firstRange(of: "://") {
            let scheme = Sanitizer.clean(String(word[..<colon.lowerBound]))
            throw ValidationError(
                "no build context comes from \(scheme)://; there are http://, https://, git://, ssh://, git@, "
                    + "directories, and - for standard input")
        }
        return .directory(word)
    }

    /// An address of the network; nil for anything else.
    static func remote(_ word: String) throws -> RemoteContext? {
        do throws(BuildError) { return try RemoteContext(word) } catch {
            let hint = error.hint.map { "; \($0)" } ?? ""
            throw ValidationError(Sanitizer.clean(error.message + hint))
        }
    }

    /// Nobody types an archive.
    static func checkTerminal(_ context: BuildRequest.Context) throws {
        if context == .standardInput && Terminal.isStandardInput {
            throw ValidationError(
                "standard input is a terminal; give it a tar or a Dockerfile, as in: lichen build - <context.tar"
            )
        }
    }

    /// Why the build context and the Dockerfile can't be these two; nil where they can.
    static func conflict(_ context: BuildRequest.Context, file: String?) -> String? {
        if context == .standardInput, file == StandardInput.word {
            return "standard input can't be both the context and the Dockerfile"
        }
        return nil
    }

    /// Why `word` is nothing to look at without a build; nil for what may be a directory.
    static func problem(_ word: String) -> String? {
        if word.isEmpty { return "the build context is empty; for this directory write ." }
        if word == "-" { return "only a directory is checked, not standard input" }
        let schemes = ["http://", "https://", "git://", "ssh://", "git@", "oci-layout://"]
        if let scheme = schemes.first(where: word.hasPrefix) {
            return "only a directory is checked, nothing from \(scheme)…"
        }
        return nil
    }
}
