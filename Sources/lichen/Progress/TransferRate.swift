/// How fast a transfer goes, over its last seconds: one that stands still is seen to.
struct TransferRate: Sendable {
    static let windowSeconds = 3.0

    private var samples: [(time: Double, bytes: Int64)]

    init(started: Double) { samples = [(started, 0)] }

    /// Takes how many bytes there are by now.
    mutating func take(_ bytes: Int64, at now: Double) {
        samples.append((now, bytes))
        // One from before the window stays: it says how many there were at its begin.
        while samples.count > 2, samples[1].time < now - Self.windowSeconds {
            samples.removeFirst()
        }
    }

    /// Bytes a second; nil where it is too early to say.
    func bytesPerSecond(at now: Double) -> Int64? {
        let begin = now - Self.windowSeconds
        let first = samples.last { $0.time <= begin } ?? samples[0]
        let span = now - first.time
        guard span >= 0.3, let last = samples.last else { return nil }
        return Int64(Double(max(last.bytes - first.bytes, 0)) / span)
    }
}
