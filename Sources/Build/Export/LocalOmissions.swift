/// What a directory of an ordinary user can't carry of an image's files, counted.
struct LocalOmissions: Equatable {
    var devices = 0
    /// Files that were setuid or setgid.
    var elevated = 0
    /// Files of another owner than root, who stands for the user.
    var owners = 0
    /// Extended attributes: capabilities, ACLs of the image's users, and what the file system refused.
    var attributes = 0

    /// One sentence; nil where nothing was left out.
    func sentence(for destination: String) -> String? {
        let parts = [
            (devices, "device nodes"), (elevated, "setuid or setgid bits"),
            (owners, "foreign owners"), (attributes, "extended attributes"),
        ]
        let words = parts.filter { $0.0 > 0 }.map { "\($0.0) \($0.1)" }
        if words.isEmpty { return nil }
        return "\(destination) goes without \(words.joined(separator: ", ")) of the image"
    }
}
