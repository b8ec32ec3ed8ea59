import Glibc
import Linux
import SystemPackage

/// A destination that the user typed: links in it are followed, and missing directories on the way are made.
struct OutputPath {
    let text: String
    /// Of the directory that holds it; "." for the working directory.
    let parent: [UInt8]
    let name: [UInt8]

    init(_ text: String) throws(ExportError) {
        var bytes = Array(text.utf8)
        while bytes.count > 1, bytes.last == UInt8(ascii: "/") { bytes.removeLast() }
        if bytes.isEmpty || bytes.contains(0) { throw ExportError(.unusableDestination(text)) }
        self.text = text
        if let slash = bytes.lastIndex(of: UInt8(ascii: "/")) {
            parent = slash == 0 ? Array("/".utf8) : Array(bytes[..<slash])
            name = Array(bytes[(slash + 1)...])
        } else {
            parent = Array(".".utf8)
            name = bytes
        }
    }

    var bytes: [UInt8] { name.isEmpty ? parent : parent + [UInt8(ascii: "/")] + name }

    /// A name beside the final one, for what is not whole yet.
    var temporaryName: [UInt8] { Array(".lichen-\(randomName())".utf8) }

    func openParent() throws(ExportError) -> OwnedDescriptor {
        let parent = parent
        return try ExportError.during("open the directory of \(text)") { () throws(Errno) in
            try Self.makeDirectories(parent)
            return try FileDescriptor.workingDirectory.open(
                parent, [.readOnly, .directory], resolve: .system)
        }
    }

    /// What is there, links followed; nil where nothing is.
    func existing() throws(ExportError) -> FileStatus? {
        let bytes = bytes
        return try ExportError.during("look at \(text)") { () throws(Errno) in
            do throws(Errno) {
                let file = try FileDescriptor.workingDirectory.open(
                    bytes, .pathOnly, resolve: .system)
                return try file.borrowed.status()
            } catch {
                if error == .noSuchFileOrDirectory { return nil }
                throw error
            }
        }
    }

    /// The path of what a link leads to, so that the file is replaced and not the link.
    func resolved() throws(ExportError) -> OutputPath {
        guard let real = realpath(text, nil) else {
            throw ExportError(.system(SystemError("look at \(text)", Errno(rawValue: errno))))
        }
        defer { free(real) }
        return try OutputPath(String(cString: real))
    }

    private static func makeDirectories(_ path: [UInt8]) throws(Errno) {
        do { return try FileDescriptor.workingDirectory.makeDirectory(path, mode: 0o777) } catch {
            if error == .fileExists { return }
            if error != .noSuchFileOrDirectory { throw error }
        }
        guard let slash = path.lastIndex(of: UInt8(ascii: "/")), slash > 0 else {
            throw Errno.noSuchFileOrDirectory
        }
        try makeDirectories(Array(path[..<slash]))
        do throws(Errno) {
            try FileDescriptor.workingDirectory.makeDirectory(path, mode: 0o777)
        } catch {
            if error != .fileExists { throw error }
        }
    }
}
