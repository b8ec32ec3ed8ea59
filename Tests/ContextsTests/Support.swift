import Glibc
import Linux
import SystemPackage

/// A temporary directory, removed with all that is in it.
final class Scratch {
    let path: String
    let root: FileDescriptor

    init() {
        var template = Array("/tmp/lichen-contexts-XXXXXX".utf8CString)
        path = String(cString: mkdtemp(&template)!)
        root = try! FileDescriptor.open(FilePath(path), .readOnly)
    }

    deinit {
        try? root.close()
        let parts = path.split(separator: "/")
        let parent = try? FileDescriptor.open(
            FilePath("/" + parts.dropLast().joined(separator: "/")), .readOnly)
        guard let parent else { return }
        try? removeTree(parts.last!.utf8, in: parent)
        try? parent.close()
    }

    func directory(_ name: String) throws { try root.makeDirectory(name.utf8, mode: 0o755) }

    func file(_ name: String, _ text: String = "") throws {
        let file = try root.open(name, [.writeOnly, .create, .truncate], mode: 0o644)
        try file.borrowed.writeFully(Array(text.utf8))
    }
}
