import Build
import OCI

extension BuildEvent.Step {
    /// `#3`
    var mark: String { "#\(number)" }

    /// `[build 3/5] RUN make`, or `[linux/arm64 build 3/5] RUN make`, harmless and on one line; the blanks of continued lines become one.
    var title: String {
        let place = [platform, Sanitizer.clean(stage)].map { $0.isEmpty ? "" : $0 + " " }.joined()
        let words = Sanitizer.clean(text).split(separator: " ").joined(separator: " ")
        return "[\(place)\(number)/\(total)] \(words)"
    }
}

extension BuildEvent.Transfer {
    /// `download sha256:0123456789ab`
    var title: String { "\(direction.rawValue) \(digest.short)" }
}

extension Digest {
    /// `sha256:0123456789ab`
    var short: String { "sha256:\(hex.prefix(12))" }
}
