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
        case let error as RegistryError: self.init(.network, "\(error)", hint: error.hint)
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
}
