import Linux
import Synchronization

/// The worker's emulators: registered in its user namespace when the first RUN for another machine comes, until it ends.
final class WorkerEmulation: Sendable {
    private let registered = Mutex<RegisteredEmulators?>(nil)

    /// Nothing to do where the kernel's own entries do.
    ///
    /// - Parameter emulators: the same for all RUNs of a build.
    func begin(_ emulators: [Emulator]) throws(SystemError) {
        if emulators.isEmpty { return }
        try registered.withLock { (registered) throws(SystemError) in
            if registered == nil { registered = try RegisteredEmulators(emulators) }
        }
    }
}
