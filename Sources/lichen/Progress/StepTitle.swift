import Build
import OCI

extension BuildEvent.Step {
    /// `#3`
    var mark: String { "#\(number)" }

    /// `[build 3/5] RUN make`, harmless and on one line.
    var title: String {
        let place = stage.isEmpty ? "" : Sanitizer.clean(stage) + " "
        return "[\(place)\(number)/\(total)] \(Sanitizer.clean(text))"
    }
}

extension BuildEvent.Transfer {
    /// `download sha256:0123456789ab`
    var title: String { "\(direction.rawValue) sha256:\(digest.hex.prefix(12))" }
}
