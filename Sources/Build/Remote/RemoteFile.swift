import HTTP
import Layers
import Linux
import OCI
import Store
import SystemPackage

/// What an ADD got by its URL: a blob of the store, with what a file needs beside its bytes.
struct RemoteFile: Sendable, Codable {
    var digest: Digest
    var size: UInt64
    /// The server's `Last-Modified`; the beginning of time where it said none, as in BuildKit.
    var modified: Int64 = 0
    /// What the server takes as a question whether it changed.
    var entityTag: String?
    var lastModified: String?

    /// The mode of a file that came from the network. Dockerfile reference, "Adding files from a URL".
    static let permissions: UInt32 = 0o600

    /// The file as COPY takes it.
    func source(named name: String, in store: Store) -> FileSource {
        let digest = digest
        let content = FileSource.Content.blob(digest, size: size) { () throws(SystemError) in
            do throws(StoreError) {
                if let blob = try store.blob(digest) { return blob }
            } catch { if case .system(let error) = error.problem { throw error } }
            throw SystemError("open the blob \(digest)", .noSuchFileOrDirectory)
        }
        return FileSource(
            content, name: name, permissions: Self.permissions, modified: modified)
    }
}

extension HTTPURL {
    /// The last component of the path, as a file is called; empty where it has none that could be a name.
    var fileName: String {
        guard let decoded = Self.decoded(path) else { return "" }
        let last = decoded.split(separator: UInt8(ascii: "/")).last.map(Array.init) ?? []
        guard let name = String(validating: last, as: UTF8.self), name != ".", name != "..",
            !last.contains(0)
        else { return "" }
        return name
    }

    /// Without its percent signs; nil where one is followed by no number.
    private static func decoded(_ text: String) -> [UInt8]? {
        var result: [UInt8] = []
        var rest = Array(text.utf8)[...]
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "%") else {
                result.append(byte)
                continue
            }
            guard let value = UInt8(String(decoding: rest.prefix(2), as: UTF8.self), radix: 16),
                rest.count >= 2
            else { return nil }
            result.append(value)
            rest = rest.dropFirst(2)
        }
        return result
    }
}
