import FoundationEssentials
import Glibc
import TestSupport

/// An image made of bytes that no tool would put together: layers, config, manifest and index are what the case says.
struct RawImage {
    struct Layer {
        var bytes: [UInt8]
        var mediaType = "application/vnd.oci.image.layer.v1.tar"
        /// Of the uncompressed tar; nil for that of `bytes`.
        var diffID: String?
        /// More members of the descriptor, such as `"urls":["…"],`.
        var members = ""
        var size: String?
        var digest: String?
    }

    var layers: [Layer] = []
    /// The members of `config` in the config, such as `"Env":["A=B"]`.
    var run = ""
    var hasHistory = true
    /// The config's own members beside architecture, os, config and rootfs, such as `,"variant":"v8"`.
    var configMembers = ""
    var architecture = RawImage.architecture
    /// Takes the finished documents and gives the ones to use.
    var editConfig: (String) -> String = { $0 }
    var editManifest: (String) -> String = { $0 }
    var configSize: String?

    static let architecture: String = {
        #if arch(arm64)
            "arm64"
        #else
            "amd64"
        #endif
    }()

    init(_ layers: [[UInt8]] = []) { self.layers = layers.map { Layer(bytes: $0) } }

    /// One layer that `body` writes.
    init(_ body: (inout RawTar) -> Void) { self.init([RawTar.make(body)]) }

    static let manifestType = "application/vnd.oci.image.manifest.v1+json"
    static let configType = "application/vnd.oci.image.config.v1+json"

    /// All blobs by digest, and the manifest's digest and bytes.
    struct Blobs {
        var content: [String: [UInt8]] = [:]
        var manifest: (digest: String, bytes: [UInt8]) = ("", [])
        var layers: [String] = []
    }

    func blobs() throws -> Blobs {
        var blobs = Blobs()
        var descriptors: [String] = [], diffIDs: [String] = []
        let digests = try Self.digests(of: layers.map(\.bytes))
        for (layer, digest) in zip(layers, digests) {
            blobs.content[digest] = layer.bytes
            blobs.layers.append(digest)
            diffIDs.append("\"\(layer.diffID ?? digest)\"")
            descriptors.append(
                "{\"mediaType\":\"\(layer.mediaType)\",\(layer.members)\"digest\":\"\(layer.digest ?? digest)\","
                    + "\"size\":\(layer.size ?? "\(layer.bytes.count)")}")
        }
        let lines = layers.map { _ in "{\"created_by\":\"raw\"}" }.joined(separator: ",")
        let history = hasHistory ? ",\"history\":[\(lines)]" : ""
        let config = Array(
            editConfig(
                "{\"architecture\":\"\(architecture)\",\"os\":\"linux\",\"config\":{\(run)},"
                    + "\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[\(diffIDs.joined(separator: ","))]}\(history)\(configMembers)}"
            ).utf8)
        let configDigest = try Self.digests(of: [config])[0]
        blobs.content[configDigest] = config
        let manifest = Array(
            editManifest(
                "{\"schemaVersion\":2,\"mediaType\":\"\(Self.manifestType)\","
                    + "\"config\":{\"mediaType\":\"\(Self.configType)\",\"digest\":\"\(configDigest)\","
                    + "\"size\":\(configSize ?? "\(config.count)")},\"layers\":[\(descriptors.joined(separator: ","))]}"
            ).utf8)
        let digest = try Self.digests(of: [manifest])[0]
        blobs.content[digest] = manifest
        blobs.manifest = (digest, manifest)
        return blobs
    }

    /// Writes an OCI layout.
    ///
    /// - Returns: what `--build-context` takes.
    func layout(at path: String) throws -> String {
        let blobs = try blobs()
        try FileManager.default.createDirectory(
            atPath: path + "/blobs/sha256", withIntermediateDirectories: true)
        for (digest, bytes) in blobs.content {
            try Data(bytes).write(to: URL(filePath: "\(path)/blobs/sha256/\(digest.dropFirst(7))"))
        }
        let index =
            "{\"schemaVersion\":2,\"manifests\":[{\"mediaType\":\"\(Self.manifestType)\","
            + "\"digest\":\"\(blobs.manifest.digest)\",\"size\":\(blobs.manifest.bytes.count)}]}"
        try Data(index.utf8).write(to: URL(filePath: path + "/index.json"))
        try Data("{\"imageLayoutVersion\":\"1.0.0\"}".utf8).write(
            to: URL(filePath: path + "/oci-layout"))
        return "oci-layout://\(path)"
    }

    /// By coreutils: a second opinion.
    static func digests(of contents: [[UInt8]]) throws -> [String] {
        if contents.isEmpty { return [] }
        let files = try TemporaryDirectory()
        let paths = try contents.enumerated().map { try files.write("\($0.offset)", $0.element) }
        let text = try Command(["sha256sum", "--"] + paths).run().required().text
        return text.split(separator: "\n").map { "sha256:\($0.prefix(64))" }
    }
}

extension Scene {
    /// What `--build-context` takes for an image.
    func base(_ image: RawImage) throws -> String {
        try image.layout(at: path("base-\(UInt32.random(in: 0 ... .max))"))
    }

    /// Unpacks the image's layers: for a step that copies all that they hold.
    func unpack(_ image: RawImage) throws -> Command.Outcome {
        try build("FROM scratch\nCOPY --from=base / /\n", ["base": try base(image)])
    }

    /// Lists the image's layers, without their files: for a step on top of them.
    func list(_ image: RawImage) throws -> Command.Outcome {
        try build("FROM base\nWORKDIR /made-by-a-step\n", ["base": try base(image)])
    }

    /// The whole tree of an image, as Lichen has unpacked it: what a COPY of its root takes.
    func copied(_ image: RawImage) throws -> InspectedImage.Layer {
        let image = try files("FROM scratch\nCOPY --from=base / /\n", ["base": try base(image)])
        return try onlyLayer(image)
    }

    func onlyLayer(_ image: InspectedImage) throws -> InspectedImage.Layer {
        guard image.layers.count == 1 else {
            throw TestSupportError("\(image.layers.count) layers")
        }
        return image.layers[0]
    }
}
