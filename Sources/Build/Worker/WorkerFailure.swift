import Archive
import Layers
import Linux
import Policy
import Sandbox
import Store
import SystemPackage

extension WorkerFailure {
    /// Any error of the worker's modules in words, with the exit status that fits.
    init(_ error: any Error) {
        switch error {
        case let failure as WorkerFailure: self = failure
        case let error as BuildError:
            self.init(category: error.category, message: error.message, hint: error.hint)
        case let error as SandboxError: self.init(error)
        case let error as LayerError:
            self.init(category: Self.category(error), message: error.description)
        case let error as StoreError:
            self.init(category: .storage, message: error.description, hint: error.hint)
        case let error as SystemError:
            self.init(
                category: .init(error.errno, else: .host), message: error.description)
        case let errno as Errno:
            self.init(category: .init(errno, else: .host), message: errno.inWords)
        case let error as CopyError:
            self.init(category: Self.category(error), message: error.description)
        case let error as ArchiveError:
            self.init(category: Self.category(error), message: "\(error)")
        case let error as EntryStreamError: self.init(error)
        case let error as PolicyError: self.init(category: .input, message: "\(error)")
        default: self.init(category: .bug, message: "\(error)")
        }
    }

    private init(_ error: SandboxError) {
        let category: BuildError.Category =
            switch error.problem {
            case .setup(let error): .init(error.errno, else: .host)
            case .host: .host
            case .workingDirectory: .input
            case .image, .user, .unmappedID, .exec, .limit, .killed: .instruction
            }
        var message = error.description
        if case .limit = error.problem { message = "the command failed: \(message)" }
        self.init(category: category, message: message, hint: error.hint)
    }

    /// The process that reads archives for the builder.
    private init(_ error: EntryStreamError) {
        switch error {
        case .ended:
            self.init(
                category: .bug, message: "the reader of archives ended unexpectedly",
                hint:
                    "if it was killed, the machine may be out of memory; else the archive is to blame, and a fault "
                    + "of Lichen's")
        case .malformed(let words):
            self.init(
                category: .bug, message: "the reader of archives says what it must not: \(words)",
                hint: "the archive may have taken it over: it had nothing in reach")
        }
    }

    private static func category(_ error: LayerError) -> BuildError.Category {
        switch error.problem {
        case .system(let error): .init(error.errno, else: .host)
        case .damagedListing: .storage
        default: .instruction
        }
    }

    /// A source that can't be read is as wrong as one that isn't there.
    private static func category(_ error: CopyError) -> BuildError.Category {
        switch error.problem {
        case .system(let error): .init(error.errno, else: .input)
        case .archive(let error): category(error)
        default: .input
        }
    }

    /// A stream that can't be read is the fault of what it holds, but where the kernel refused to read or write it.
    private static func category(_ error: ArchiveError) -> BuildError.Category {
        guard case .system(_, let errno) = error.problem else { return .input }
        return .init(errno, else: .host)
    }
}
