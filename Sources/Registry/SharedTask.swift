import Synchronization

/// Work that several wait for. It is cancelled when the last of them is.
final class SharedTask<Value: Sendable>: Sendable {
    private let task: Task<Value, any Error>
    private let waiting = Mutex(0)

    init(_ body: @escaping @Sendable () async throws -> Value) {
        task = Task { try await body() }
    }

    func value() async throws -> Value {
        waiting.withLock { $0 += 1 }
        return try await withTaskCancellationHandler {
            try await task.value
        } onCancel: {
            let left = waiting.withLock { waiting in
                waiting -= 1
                return waiting
            }
            if left == 0 { task.cancel() }
        }
    }
}
