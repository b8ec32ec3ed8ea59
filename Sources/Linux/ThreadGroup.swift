/// Waits for a number of threads.
public final class ThreadGroup: @unchecked Sendable {
    // Proof of Sendable: `count` is touched only inside the monitor.
    private let monitor = Monitor()
    private var count = 0

    public init() {}

    public func start(_ body: @escaping @Sendable () -> Void) {
        monitor.locked { count += 1 }
        startThread {
            body()
            self.monitor.change { self.count -= 1 }
        }
    }

    public func wait() {
        monitor.locked { while count > 0 { monitor.wait() } }
    }
}
