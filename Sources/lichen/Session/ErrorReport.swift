import ArgumentParser
import Build
import Linux
import Store

/// An error as a person reads it: one line, the lines of the Dockerfile, and what to do.
struct ErrorReport: Equatable {
    var status: Int32
    var message: String
    var excerpt: String?
    var hint: String?

    /// Foreign names in `error` are made harmless here, whatever its maker did.
    init(_ error: any Error) {
        switch error {
        case let error as BuildError:
            self.init(error.category.rawValue, error.description)
            excerpt = error.excerpt.map { Sanitizer.clean($0, keepingNewlines: true) }
            hint = error.hint.map { Sanitizer.clean($0) }
        case let error as StoreError:
            self.init(Self.status(of: error), error.description)
            hint = error.hint.map { Sanitizer.clean($0) }
        case let error as SystemError:
            self.init(ExitStatus.storage.rawValue, error.description)
        case is CancellationError:
            self.init(ExitStatus.interrupted.rawValue, "interrupted")
        case let error as ValidationError:
            self.init(ExitStatus.usage.rawValue, error.message)
        case let error as any CustomStringConvertible:
            self.init(ExitStatus.bug.rawValue, error.description)
        default:
            // Its dump would tell nothing to anyone but us; its type is where we start to look.
            self.init(ExitStatus.bug.rawValue, "an unforeseen \(type(of: error))")
            hint = "this is a bug of Lichen; please report it with the command that was run"
        }
    }

    /// The end by a signal, with the status that a shell gives it.
    init(signal: Int32) { self.init(128 + signal, "interrupted") }

    /// An error of the command line, in the parser's words.
    init(usage message: String, status: Int32) { self.init(status, message) }

    private init(_ status: Int32, _ message: String) {
        self.status = status
        self.message = Sanitizer.clean(message)
    }

    private static func status(of error: StoreError) -> Int32 {
        switch error.problem {
        case .unknownImage: ExitStatus.input.rawValue
        default: ExitStatus.storage.rawValue
        }
    }

    /// `error: Dockerfile:3: …`, the excerpt, `hint: …`.
    var text: String {
        var lines = ["error: \(message)"]
        if let excerpt, !excerpt.isEmpty {
            lines.append(excerpt.hasSuffix("\n") ? String(excerpt.dropLast()) : excerpt)
        }
        if let hint { lines.append("hint: \(hint)") }
        return lines.joined(separator: "\n")
    }
}
