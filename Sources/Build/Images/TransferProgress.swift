import HTTP
import Linux
import OCI
import Synchronization

/// Bytes that went over the network in one build.
final class TransferCounter: Sendable {
    private let counts = Mutex<(down: Int64, up: Int64)>((0, 0))

    func add(_ direction: BuildEvent.Transfer.Direction, _ bytes: Int64) {
        counts.withLock { if direction == .download { $0.down += bytes } else { $0.up += bytes } }
    }

    var downloaded: Int64 { counts.withLock { $0.down } }
    var uploaded: Int64 { counts.withLock { $0.up } }
}

/// Tells how far one blob is, at most ten times a second.
final class TransferProgress: TransferObserver {
    private let transfer: BuildEvent.Transfer
    private let observer: BuildObserver
    private let counter: TransferCounter
    private let started = monotonicSeconds()
    private let state = Mutex<(bytes: Int64, told: Double, isAnnounced: Bool)>((0, 0, false))

    init(
        _ direction: BuildEvent.Transfer.Direction, _ descriptor: Descriptor,
        _ observer: @escaping BuildObserver,
        _ counter: TransferCounter
    ) {
        transfer = BuildEvent.Transfer(
            direction: direction, digest: descriptor.digest, size: descriptor.size)
        self.observer = observer
        self.counter = counter
    }

    func requestStarted(_ method: HTTPRequest.Method, _ url: HTTPURL) {}
    func received(_ bytes: Int) { if transfer.direction == .download { add(bytes) } }
    func sent(_ bytes: Int) { if transfer.direction == .upload, bytes > 0 { add(bytes) } }

    private func add(_ bytes: Int) {
        counter.add(transfer.direction, Int64(bytes))
        let now = monotonicSeconds()
        let (total, isFirst) = state.withLock { state -> (Int64?, Bool) in
            state.bytes += Int64(bytes)
            let isFirst = !state.isAnnounced
            state.isAnnounced = true
            if !isFirst, now - state.told < 0.1 { return (nil, false) }
            state.told = now
            return (state.bytes, isFirst)
        }
        if isFirst { observer(.transferStarted(transfer)) }
        if let total { observer(.transferProgress(transfer, bytes: total)) }
    }

    func done(moved: Bool) {
        observer(.transferDone(transfer, moved: moved, seconds: monotonicSeconds() - started))
    }
}
