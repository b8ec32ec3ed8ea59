import Dockerfile
import Layers
import Linux
import OCI
import Registry
import Store
import SystemPackage

extension BuildError {
    /// Any error of the modules below, in words and with the exit status that fits.
    init(any error: any Error) {
        switch error {
        case let error as BuildError: self = error
        case let error as DockerfileError:
            self.init(
                .input, "\(error.problem)", location: "\(error.file):\(error.range.start.line)")
        case let error as RegistryError: self.init(error, notFound: .network)
        case let error as DocumentError: self.init(.input, "\(error)")
        case let error as ExportError:
            let category: Category =
                switch error.problem {
                case .terminal, .unusableDestination, .notLayout, .notEmpty, .severalPlatforms:
                    .input
                case .damagedLayout, .missingBlob, .damagedBlob, .unwritableFile, .system: .storage
                }
            self.init(category, error.description, hint: error.hint)
        case is CancellationError: self.init(.interrupted, "interrupted")
        default:
            let failure = WorkerFailure(error)
            self.init(failure.category, failure.message, hint: failure.hint)
        }
    }

    /// A registry's refusal, in words with a remedy; or that of a file of this machine in the middle of a transfer.
    init(_ error: RegistryError, notFound: Category = .input) {
        let local = error.localFailure.map { BuildError(any: $0).category }
        self.init(
            local ?? (error.isNotFound ? notFound : .network), "\(error)", hint: error.hint)
    }
}
