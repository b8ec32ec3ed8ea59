import Archive
import FoundationEssentials
import Glibc
import Linux
import OCI
import Synchronization
import SystemPackage
import TestSupport

/// Any JSON, to be compared.
enum JSONTree: Codable, Equatable {
    case null, truth(Bool), number(Double), text(String)
    case list([JSONTree])
    case object([String: JSONTree])

    init(from decoder: any Decoder) throws {
        let value = try decoder.singleValueContainer()
        if value.decodeNil() {
            self = .null
        } else if let truth = try? value.decode(Bool.self) {
            self = .truth(truth)
        } else if let number = try? value.decode(Double.self) {
            self = .number(number)
        } else if let text = try? value.decode(String.self) {
            self = .text(text)
        } else if let list = try? value.decode([JSONTree].self) {
            self = .list(list)
        } else {
            self = .object(try value.decode([String: JSONTree].self))
        }
    }

    func encode(to encoder: any Encoder) throws {
        var value = encoder.singleValueContainer()
        switch self {
        case .null: try value.encodeNil()
        case .truth(let truth): try value.encode(truth)
        case .number(let number): try value.encode(number)
        case .text(let text): try value.encode(text)
        case .list(let list): try value.encode(list)
        case .object(let object): try value.encode(object)
        }
    }

    subscript(key: String) -> JSONTree? {
        if case .object(let object) = self { object[key] } else { nil }
    }

    var list: [JSONTree] { if case .list(let list) = self { list } else { [] } }
    var text: String? { if case .text(let text) = self { text } else { nil } }
}

/// What came of a case.
struct WholeResult {
    var outcome: Command.Outcome
    /// By their paths.
    var files: [String: String] = [:]
    var config: JSONTree = .null
    var layerCount = 0

    /// What a case calls `Key`: of the run config, else of the config; `history` is as long as what is expected of it.
    func value(_ key: String, like expected: JSONTree) -> JSONTree {
        switch key {
        case "layers": return .number(Double(layerCount))
        case "history":
            let all = (config["history"]?.list ?? []).map { $0["created_by"] ?? .null }
            return .list(all.suffix(expected.list.count))
        default: return config["config"]?[key] ?? config[key] ?? .null
        }
    }
}

extension WholeResult {
    /// What is otherwise than the case says.
    func differences(from item: WholeCase) throws -> [String] {
        var result = (item.said + item.errors).filter { !outcome.error.contains($0) }
        guard outcome.isSuccess == item.errors.isEmpty else {
            return result + ["ends with status \(outcome.status ?? -1)"]
        }
        guard outcome.isSuccess else { return result }
        for claim in item.expected {
            if let found = try difference(from: claim) { result.append("\(found), not \(claim)") }
        }
        return result + item.gone.filter { files[$0] != nil }
    }

    private func difference(from claim: String) throws -> String? {
        let key = String(claim.prefix { $0.isLetter || $0 == "_" })
        let rest = claim.dropFirst(key.count)
        guard rest.hasPrefix(": ") else {
            let found = files[try FileLine(claim, hasOwner: true).path] ?? "nothing"
            return found == claim ? nil : found
        }
        let expected = try JSONDecoder().decode(
            JSONTree.self, from: Data(rest.dropFirst(2).utf8))
        let found = value(key, like: expected)
        return found == expected ? nil : "\(found)"
    }
}

/// Builds the cases, all with one store.
final class WholeRunner: Sendable {
    private let lichen: LichenProgram
    private let server: WholeServer
    private let busybox: String
    private let count = Mutex(0)

    init() throws {
        lichen = try LichenProgram()
        server = try WholeServer()
        busybox = try Bases.busybox()
        try lichen.run(["pull", busybox]).required()
    }

    func run(_ item: WholeCase) throws -> WholeResult {
        let place = try TemporaryDirectory()
        let context = place.path("context")
        try FileManager.default.createDirectory(
            atPath: context, withIntermediateDirectories: false)
        for line in item.context { try FileLine(line, hasOwner: false).make(in: context) }
        defer { TestHost.remove(context) }
        var arguments = try base(of: item, place)
        let dockerfile = server.filled(item.dockerfile, context: context)
        if dockerfile.contains("busybox") { arguments += named("busybox", busybox) }
        arguments += try file(dockerfile, of: item, place)
        arguments += item.options.map { server.filled($0, context: context) }
        let (layout, tar) = (place.path("image.tar"), place.path("files.tar"))
        var command = lichen.command(
            ["build", "--progress", "plain", "--pull", "never"] + arguments + [
                "-o", "type=oci,dest=" + layout, "-o", "type=tar,dest=" + tar, context,
            ], item.environment)
        if item.place == "-" { command.input = try place.write("input", dockerfile.utf8) }
        let outcome = try command.run()
        guard outcome.isSuccess else { return WholeResult(outcome: outcome) }
        return try result(outcome, layout, tar)
    }

    private func named(_ name: String, _ image: String) -> [String] {
        ["--build-context", "\(name)=docker-image://\(image)"]
    }

    /// Builds the image that the case starts from.
    private func base(of item: WholeCase, _ place: TemporaryDirectory) throws -> [String] {
        guard let dockerfile = item.base else { return [] }
        let number = count.withLock { count in
            count += 1
            return count
        }
        let name = "localhost/made/\(number):1"
        let folder = try BuildFolder(dockerfile)
        let contexts = dockerfile.contains("busybox") ? named("busybox", busybox) : []
        try lichen.build(folder, ["--pull", "never", "-t", name] + contexts).run().required()
        return named("made", name)
    }

    /// Puts the Dockerfile where it belongs; the option that says so.
    private func file(
        _ dockerfile: String, of item: WholeCase, _ place: TemporaryDirectory
    ) throws -> [String] {
        switch item.place {
        case nil: return ["-f", try place.write("Dockerfile", dockerfile.utf8)]
        case "-"?: return ["-f", "-"]
        case "URL"?: return ["-f", server.publish(dockerfile)]
        case let path?:
            let file = place.path("context/" + path)
            let folder = file.split(separator: "/").dropLast().joined(separator: "/")
            try FileManager.default.createDirectory(
                atPath: "/" + folder, withIntermediateDirectories: true)
            try Data(dockerfile.utf8).write(to: URL(filePath: file))
            return ["-f", file]
        }
    }

    // MARK: - What came out

    private func result(_ outcome: Command.Outcome, _ layout: String, _ tar: String) throws
        -> WholeResult
    {
        var result = WholeResult(outcome: outcome)
        try Self.read(tar) { entry, data in
            let line = FileLine(entry, data)
            if !line.path.isEmpty && line.path != "." { result.files[line.path] = line.text }
        }
        var documents: [String: JSONTree] = [:]
        try Self.read(layout) { entry, data in
            // Layers are no JSON.
            documents[String(decoding: entry.path, as: UTF8.self)] = try? JSONDecoder().decode(
                JSONTree.self, from: Data(data))
        }
        func blob(_ descriptor: JSONTree?) -> JSONTree? {
            let digest = descriptor?["digest"]?.text ?? ""
            return documents["blobs/" + digest.replacing(":", with: "/")]
        }
        guard let manifest = blob(documents["index.json"]?["manifests"]?.list.first),
            let config = blob(manifest["config"])
        else { throw TestSupportError("\(layout) has no config") }
        result.config = config
        result.layerCount = manifest["layers"]?.list.count ?? 0
        return result
    }

    private static func read(_ path: String, _ body: (TarEntry, [UInt8]) throws -> Void) throws {
        let file = try FileDescriptor.workingDirectory.open(path, .readOnly, resolve: .system)
        let reader = TarReader(DescriptorSource(file.borrowed, offset: 0))
        while let entry = try reader.next() {
            try body(entry, try reader.data(of: entry, limit: 4 << 20))
        }
        withExtendedLifetime(file) {}
    }
}
