import Dockerfile
import OCI

/// Build arguments that every build heeds without an ARG.
///
/// Those that ask for something that isn't carried out are refused; with a value that asks for nothing they are fine.
/// Dockerfile reference, "BuildKit built-in build args".
struct BuiltInArguments {
    /// BUILDKIT_SYNTAX stands in for the file's `# syntax=`: it names our own front end.
    let namesFrontEnd: Bool
    /// BUILDKIT_CACHE_MOUNT_NS: keeps the cache mounts of builds apart.
    let cacheNamespace: String
    /// BUILDKIT_SANDBOX_HOSTNAME; nil for the usual one.
    let hostname: String?

    private static let frontEnd = "BUILDKIT_SYNTAX"
    private static let namespace = "BUILDKIT_CACHE_MOUNT_NS"
    private static let host = "BUILDKIT_SANDBOX_HOSTNAME"
    /// What BuildKit calls the front end that it has within itself.
    private static let builtInFrontEnd = "dockerfile.v0"

    /// Asked for by a truth value, and not carried out.
    private static let refused = [
        "BUILDKIT_INLINE_CACHE": "a cache inside of the image is not written",
        "BUILDKIT_MULTI_PLATFORM": "an image for one platform is not wrapped into an index",
    ]

    /// Every name that means something here.
    static let names = Set([frontEnd, namespace, host]).union(refused.keys)

    /// - Throws: `BuildError` naming the argument that can't be heeded.
    init(_ arguments: [String: String]) throws(BuildError) {
        for (name, reason) in Self.refused.sorted(by: { $0.key < $1.key }) {
            let value = (arguments[name] ?? "").lowercased()
            guard ["", "0", "f", "false"].contains(value) else {
                throw BuildError(.input, "the build argument \(name) is not supported: \(reason)")
            }
        }
        let syntax = arguments[Self.frontEnd] ?? ""
        guard syntax.isEmpty || syntax == Self.builtInFrontEnd || isOurFrontEnd(syntax) else {
            throw BuildError(
                .input,
                "\(Self.frontEnd) names the external front end \(Harmless.text(syntax, limit: 200)), which is not supported",
                hint: "docker/dockerfile:1 and \(Self.builtInFrontEnd) are the one that is built in"
            )
        }
        namesFrontEnd = !syntax.isEmpty
        cacheNamespace = arguments[Self.namespace] ?? ""
        hostname = (arguments[Self.host] ?? "").isEmpty ? nil : arguments[Self.host]
        if let hostname, !Self.isHostname(hostname) {
            throw BuildError(
                .input, "\(Self.host)=\(Harmless.text(hostname, limit: 100)) is no name of a host",
                hint: "at most 63 letters, digits, dashes and dots")
        }
    }

    /// The id of a cache mount, within the name space.
    func cacheID(_ id: String) -> String {
        cacheNamespace.isEmpty ? id : cacheNamespace + "/" + id
    }

    /// What the kernel takes, and what can stand in /etc/hosts.
    private static func isHostname(_ text: String) -> Bool {
        let bytes = Array(text.utf8)
        return bytes.count <= 63 && bytes.first != UInt8(ascii: "-")
            && bytes.allSatisfy {
                ($0 | 0x20 >= 0x61 && $0 | 0x20 <= 0x7a) || (0x30...0x39).contains($0)
                    || $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: ".")
            }
    }
}
