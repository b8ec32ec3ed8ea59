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
            self.init(category: Self.category(error.errno) ?? .host, message: error.description)
        case let errno as Errno:
            self.init(category: Self.category(errno) ?? .host, message: errno.inWords)
        case let error as CopyError: self.init(category: .input, message: error.description)
        case let error as ArchiveError:
            self.init(category: Self.category(error), message: "\(error)")
        case let error as PolicyError: self.init(category: .input, message: "\(error)")
        default: self.init(category: .bug, message: "\(error)")
        }
    }

    private init(_ error: SandboxError) {
        let category: BuildError.Category =
            switch error.problem {
            case .setup(let error): Self.category(error.errno) ?? .host
            case .host: .host
            case .workingDirectory: .input
            case .image, .user, .unmappedID, .exec, .limit, .killed: .instruction
            }
        var message = error.description
        if case .limit = error.problem { message = "the command failed: \(message)" }
        self.init(category: category, message: message, hint: error.hint)
    }

    private static func category(_ error: LayerError) -> BuildError.Category {
        switch error.problem {
        case .system(let error): category(error.errno) ?? .host
        case .damagedListing: .storage
        default: .instruction
        }
    }

    /// A stream that can't be read is the fault of what it holds, but where the kernel refused to read or write it.
    private static func category(_ error: ArchiveError) -> BuildError.Category {
        guard case .system(_, let errno) = error.problem else { return .input }
        return category(errno) ?? .host
    }

    /// What an errno alone tells: a disk that is full or can't be written.
    private static func category(_ errno: Errno) -> BuildError.Category? {
        switch errno {
        case .noSpace, .diskQuotaExceeded, .readOnlyFileSystem, .ioError: .storage
        default: nil
        }
    }
}
