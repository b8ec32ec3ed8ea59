import Build
import FoundationEssentials
import Glibc
import Linux
import OCI
import SystemPackage

/// `--iidfile` and `--metadata-file`: written whole, and only after a build that succeeded.
struct ResultFiles {
    var configDigestFile: String?
    var metadataFile: String?

    init(_ options: BuildOptions) {
        configDigestFile = options.configDigestFile
        metadataFile = options.metadataFile
    }

    func write(_ result: BuildResult, tags: [Reference]) throws {
        if let configDigestFile {
            // Of an index, which has no config, as with buildx.
            let digest = result.config ?? result.manifest.digest
            try Self.replace(configDigestFile, with: Array(digest.description.utf8))
        }
        if let metadataFile {
            try Self.replace(metadataFile, with: try Metadata(result, tags: tags).encoded())
        }
    }

    /// Writes a file under another name and renames it, so that nobody reads half of it. A pipe or a terminal that is there
    /// already is written to as it is.
    static func replace(_ path: String, with bytes: [UInt8]) throws {
        let here = FileDescriptor.workingDirectory
        do {
            let existing = try here.statusIfPresent(of: path.utf8)
            if let existing, existing.kind != .regular {
                let file = try here.open(path, [.writeOnly], resolve: .system)
                return try file.borrowed.writeFully(bytes)
            }
            let temporary = "\(path).\(randomName())"
            let file = try here.open(
                temporary, [.writeOnly, .create, .exclusive], mode: 0o666, resolve: .system)
            do {
                try file.borrowed.writeFully(bytes)
                try file.close()
                try here.rename(temporary.utf8, to: here, path.utf8)
            } catch {
                // The error above is the one that counts.
                try? here.unlink(temporary.utf8)
                throw error
            }
        } catch let error as Errno {
            throw BuildError(.storage, "write \(path): \(error.inWords)")
        }
    }
}

/// The JSON of `--metadata-file`, with the keys of docker buildx.
struct Metadata: Encodable {
    private enum CodingKeys: String, CodingKey {
        case configDigest = "containerimage.config.digest"
        case descriptor = "containerimage.descriptor"
        case digest = "containerimage.digest"
        case name = "image.name"
        case refusedCalls = "lichen.refused-calls"
        case insecureRuns = "lichen.insecure-runs"
        case network = "lichen.network"
        case allowed = "lichen.allowed"
        case weaker = "lichen.weaker"
    }

    /// Left out for an index.
    var configDigest: Digest?
    var descriptor: Descriptor
    var digest: Digest
    /// The names with commas between them; left out where there are none.
    var name: String?
    /// Left out where there are none.
    var refusedCalls: [RefusedCall]?
    /// Lines of RUNs with `--security=insecure`; left out where there are none.
    var insecureRuns: [Int]?
    var network: String
    /// Names of `--allow`; left out where there are none.
    var allowed: [String]?
    /// What was weaker than the default; left out where nothing was.
    var weaker: [Weakness]?

    init(_ result: BuildResult, tags: [Reference]) {
        configDigest = result.config
        descriptor = result.manifest
        digest = result.manifest.digest
        refusedCalls = result.refusedCalls.isEmpty ? nil : result.refusedCalls
        insecureRuns = result.insecureRuns.isEmpty ? nil : result.insecureRuns
        network = result.network.rawValue
        allowed = result.allowances.isEmpty ? nil : result.allowances.map(\.rawValue).sorted()
        weaker = result.weaknesses.isEmpty ? nil : result.weaknesses
        name = tags.isEmpty ? nil : tags.map(\.description).joined(separator: ",")
    }

    func encoded() throws -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        return [UInt8](try encoder.encode(self)) + [UInt8(ascii: "\n")]
    }
}
