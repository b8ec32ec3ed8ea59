import Dispatch
import Linux
import SystemPackage

/// Swaps two names; see renameat2(2), RENAME_EXCHANGE.
func exchange(_ one: String, _ two: String) -> Bool {
    let here = FileDescriptor.workingDirectory
    return (try? here.exchange(Array(one.utf8), with: here, Array(two.utf8))) != nil
}

/// On a thread of its own: those of a pool may all wait for builds.
func startSwapping(_ body: @escaping @Sendable () -> Void) { startThread(body) }

/// One thread waits until another says that it is done.
final class DispatchSemaphoreBox: Sendable {
    private let semaphore = DispatchSemaphore(value: 0)
    func signal() { semaphore.signal() }
    func wait() { semaphore.wait() }
}
