import Build
import OCI

/// What came of a command, and what it took.
struct Summary: Sendable {
    /// Of the manifest or index.
    var digest: Digest
    var config: Digest?
    /// Instructions that make files, and those of them that the store answered; nil where nothing was built.
    var steps: (all: Int, cached: Int)?
    var downloadedBytes: Int64 = 0
    var uploadedBytes: Int64 = 0
    var seconds: Double = 0
    /// RUNs with `--security=insecure`.
    var insecureCount = 0
    /// Facts of `lichen doctor` that were less good than by default.
    var weaker: [String] = []
    /// See `PeakMemory`.
    var memoryBytes: Int64?

    init(_ digest: Digest) { self.digest = digest }

    init(_ result: BuildResult) {
        digest = result.manifest.digest
        config = result.config
        steps = (result.stepCount, result.cachedCount)
        downloadedBytes = result.downloadedBytes
        uploadedBytes = result.uploadedBytes
        memoryBytes = result.peakMemoryBytes
        insecureCount = result.insecureRuns.count
        weaker = result.weaknesses.map(\.fact)
    }

    /// One line: `5 steps, 3 cached, 12.1 MB down, 0 B up, 4.2s, peak memory 45.2 MB`.
    var text: String {
        var words: [String] = []
        if let steps {
            words += [
                "\(steps.all) \(steps.all == 1 ? "step" : "steps")", "\(steps.cached) cached",
            ]
        }
        if insecureCount > 0 { words.append("\(insecureCount) insecure") }
        words += [
            "\(ByteCount.text(downloadedBytes)) down", "\(ByteCount.text(uploadedBytes)) up",
            Elapsed.text(seconds),
        ]
        if let memoryBytes { words.append("peak memory \(ByteCount.text(memoryBytes))") }
        let line = words.joined(separator: ", ")
        return weaker.isEmpty
            ? line : line + "; weaker than the default: \(weaker.joined(separator: ", "))"
    }
}

/// Bytes of blobs that were moved, for commands whose result doesn't count them.
struct MovedBytes: Sendable {
    private(set) var down: Int64 = 0
    private(set) var up: Int64 = 0

    mutating func take(_ event: BuildEvent) {
        guard case .transferDone(let transfer, true, _) = event else { return }
        switch transfer.direction {
        case .download: down += transfer.size
        case .upload: up += transfer.size
        }
    }
}
