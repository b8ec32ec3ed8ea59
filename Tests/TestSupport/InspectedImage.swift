import FoundationEssentials

/// An image as other programs read it: skopeo fetched it, Python took it apart.
public struct InspectedImage: Decodable, Sendable {
    public struct Blob: Decodable, Sendable {
        public var mediaType, digest, actualDigest: String
        public var size, actualSize: Int
    }

    public struct Entry: Decodable, Sendable, Equatable {
        /// Without `./` and a slash at the end; bytes that are not printable ASCII as `%XX`.
        public var name, kind: String
        public var mode, uid, gid, size: Int
        public var modified: Double
        /// Of a symbolic or a hard link.
        public var target: String
        /// The first bytes of a file.
        public var content, sha256: String
        public var attributes: [String: String]
    }

    public struct Layer: Decodable, Sendable {
        public var mediaType, digest, actualDigest, diffID: String
        public var size, actualSize: Int
        public var entries: [Entry]

        /// `name kind mode uid:gid`, one for each entry, in the layer's order.
        public var summary: [String] {
            entries.map { "\($0.name) \($0.kind) \(String($0.mode, radix: 8)) \($0.uid):\($0.gid)" }
        }

        public func entry(_ name: String) -> Entry? { entries.first { $0.name == name } }
    }

    public struct History: Decodable, Sendable {
        public var created_by: String?
        public var created: String?
        public var empty_layer: Bool?
        public var isEmpty: Bool { empty_layer ?? false }
    }

    public struct RootFS: Decodable, Sendable {
        public var type: String
        public var diff_ids: [String]
    }

    public struct Healthcheck: Decodable, Sendable { public var Test: [String]? }

    public struct Run: Decodable, Sendable {
        public var Env, Cmd, Entrypoint, OnBuild: [String]?
        public var User, WorkingDir, StopSignal: String?
        public var Labels: [String: String]?
        public var ExposedPorts, Volumes: [String: [String: String]]?
        public var Healthcheck: Healthcheck?
    }

    public struct Config: Decodable, Sendable {
        public var architecture, os: String
        public var created: String?
        public var config: Run?
        public var rootfs: RootFS
        public var history: [History]?
    }

    public var manifest, config: Blob
    public var manifestMediaType: String?
    public var schemaVersion: Int
    public var layers: [Layer]
    public var image: Config

    /// Fetches `HOST:PORT/name:tag` from a registry on this machine, and checks all that is true of every image.
    public static func pushed(_ name: String) throws -> InspectedImage {
        let directory = try TemporaryDirectory()
        try Command([
            "skopeo", "copy", "--quiet", "--src-tls-verify=false", "docker://\(name)",
            "oci:\(directory.path("layout")):image",
        ]).run().required()
        return try inLayout(directory.path("layout"), "image")
    }

    /// Reads the image `name` of an OCI layout, and checks all that is true of every image.
    public static func inLayout(_ path: String, _ name: String) throws -> InspectedImage {
        let script = TestHost.fixture("read_image.py")
        let outcome = try Command(["python3", script, path, name]).run().required()
        let image = try JSONDecoder().decode(InspectedImage.self, from: Data(outcome.output))
        let violations = image.violations
        if violations.isEmpty { return image }
        throw TestSupportError("\(name): \(violations.joined(separator: "; "))")
    }

    /// Text that was percent-encoded, such as an entry's content.
    public static func decoded(_ text: String) -> String {
        var bytes: [UInt8] = []
        var rest = text.utf8[...]
        while let byte = rest.popFirst() {
            if byte == UInt8(ascii: "%"),
                let value = UInt8(String(decoding: rest.prefix(2), as: UTF8.self), radix: 16)
            {
                bytes.append(value)
                rest = rest.dropFirst(2)
            } else {
                bytes.append(byte)
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
