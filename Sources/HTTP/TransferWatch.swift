/// Notices that a transfer waits too long, and knows for what.
///
/// libcurl's own low-speed limit is not used: it counts the time that our sink takes as well.
struct TransferWatch {
    private let timeouts: HTTPTimeouts
    private let clock = ContinuousClock()
    private var lastMove: ContinuousClock.Instant

    init(_ timeouts: HTTPTimeouts) {
        self.timeouts = timeouts
        lastMove = clock.now
    }

    /// Bytes moved.
    mutating func moved() { lastMove = clock.now }

    /// What took too long, if anything did. The time to connect is libcurl's to watch.
    mutating func problem(
        isConnected: Bool, isSent: Bool, isAnswered: Bool
    ) -> HTTPError.Problem? {
        guard isConnected else {
            moved()
            return nil
        }
        let waited = clock.now - lastMove
        if isSent && !isAnswered { return waited > timeouts.response ? .responseTimeout : nil }
        return waited > timeouts.stalled ? .stalled : nil
    }

    /// Until the next look, where nothing happens before.
    var millisecondsToWait: CInt {
        let shortest = min(timeouts.response, timeouts.stalled)
        return CInt(min(max(shortest.milliseconds / 4, 10), 1000))
    }
}

extension Duration {
    var milliseconds: Int64 {
        components.seconds * 1000 + components.attoseconds / 1_000_000_000_000_000
    }
}
