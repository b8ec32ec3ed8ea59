import Archive
import Glibc
import Linux
import OCI
import Store
import SystemPackage

/// A temporary directory, removed with all that is in it, and a store there.
final class Scratch {
    let path: String

    init() {
        var template = Array("/tmp/lichen-store-XXXXXX".utf8CString)
        path = String(cString: mkdtemp(&template)!)
    }

    deinit {
        // Left-overs in /tmp are a nuisance, not a failure.
        try? removeTree(path.utf8, in: .workingDirectory)
    }

    var storePath: String { "\(path)/store" }

    func store() throws -> Store { try Store(path: storePath) }

    /// The names in a directory of the store.
    func names(_ directory: String) throws -> [String] {
        let opened = try FileDescriptor.workingDirectory.open(
            "\(storePath)/\(directory)", [.readOnly, .directory], resolve: .system)
        return try DirectoryReader().names(in: opened.borrowed).map {
            String(decoding: $0, as: UTF8.self)
        }
    }

    func write(_ text: String, to name: String) throws {
        let file = try FileDescriptor.workingDirectory.open(
            "\(storePath)/\(name)", [.writeOnly, .create, .truncate], mode: 0o600, resolve: .system)
        try file.borrowed.writeFully(Array(text.utf8))
    }
}

func digest(of text: String) -> Digest {
    Digest(sha256: Array(text.utf8).withUnsafeBytes { SHA256.digest(of: $0) })
}

func descriptor(of text: String, _ type: MediaType = .layerGzip) -> Descriptor {
    Descriptor(mediaType: type, digest: digest(of: text), size: Int64(text.utf8.count))
}

extension Store {
    func keepBlob(_ text: String) throws {
        let blob = try newBlob()
        try blob.file.borrowed.writeFully(Array(text.utf8))
        try blob.keep(as: digest(of: text))
    }
}
