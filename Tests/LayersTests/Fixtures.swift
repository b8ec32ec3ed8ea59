import Archive
import Contexts
import Glibc
import Layers
import Linux
import OCI
import SystemPackage

/// Entries as lines, for parents and expectations: "d 0755 0:0 etc", "f 0644 1:2 etc/a=text", "l bin -> usr/bin", "h b -> a",
/// "p 0644 0:0 fifo", "c 0620 0:5 dev/tty 5:0", "w gone", "o opaque-directory". The time is not in it.
struct Line {
    static func entry(_ line: String) -> (path: TreePath, entry: ListingEntry) {
        let words = line.split(separator: " ").map(String.init)
        if words[0] == "w" { return (path(words[1]), ListingEntry(kind: .whiteout)) }
        if words[0] == "l" {
            return (
                path(words[1]),
                ListingEntry(
                    kind: .symbolicLink, permissions: 0o777, linkTarget: Array(words[3].utf8))
            )
        }
        let ids = words[2].split(separator: ":").map { UInt32($0)! }
        let kind: ListingEntry.Kind =
            switch words[0] {
            case "d", "o": .directory
            case "p": .fifo
            case "c": .characterDevice
            default: .file
            }
        var entry = ListingEntry(
            kind: kind, permissions: UInt16(words[1], radix: 8)!, uid: ids[0], gid: ids[1],
            modified: 1000)
        entry.isOpaque = words[0] == "o"
        return (path(words[3].split(separator: "=").first.map(String.init)!), entry)
    }

    static func path(_ text: String) -> TreePath { TreePath(Array(text.utf8))! }

    static func of(_ entry: TarEntry, _ data: [UInt8]) -> String {
        let mode = String(entry.mode, radix: 8)
        let digits = String(repeating: "0", count: max(0, 4 - mode.count)) + mode
        let head = "\(digits) \(entry.uid):\(entry.gid)"
        let path = String(decoding: entry.path, as: UTF8.self)
        let target = String(decoding: entry.linkTarget, as: UTF8.self)
        return switch entry.kind {
        case .file:
            "f \(head) \(path)\(data.isEmpty ? "" : "=" + String(decoding: data, as: UTF8.self))"
        case .directory: "d \(head) \(path)"
        case .symlink: "l \(path) -> \(target)"
        case .hardLink: "h \(path) -> \(target)"
        case .fifo: "p \(head) \(path)"
        case .characterDevice: "c \(head) \(path) \(entry.major):\(entry.minor)"
        case .blockDevice: "b \(head) \(path) \(entry.major):\(entry.minor)"
        }
    }
}

/// A stack of listings, bottom first, each of lines.
func stack(_ layers: [[String]]) throws -> LayerStack {
    var stack = LayerStack()
    for layer in layers {
        var builder = ListingBuilder()
        for line in layer {
            let (path, entry) = Line.entry(line)
            builder.implyDirectories(above: path)
            builder[path] = entry
        }
        stack.push(try listing(builder))
    }
    return stack
}

/// A listing as the store would map it.
func listing(_ builder: ListingBuilder) throws -> Listing {
    let scratch = Scratch()
    let file = try scratch.root.open(Array("listing".utf8), [.readWrite, .create], mode: 0o600)
    try file.borrowed.writeFully(builder.encoded())
    return try Listing(try MappedFile(file.borrowed))
}

/// A layer as it was written, and read back by our own reader.
struct Layer {
    var bytes: [UInt8]
    var entries: [(entry: TarEntry, data: [UInt8])]
    var listing: ListingBuilder

    /// As `Line` writes them, in the archive's order.
    var lines: [String] { entries.map { Line.of($0.entry, $0.data) } }

    func entry(_ path: String) -> TarEntry? {
        entries.last { $0.entry.path == Array(path.utf8) }?.entry
    }
}

func compose(
    on parent: LayerStack = LayerStack(), latest: Int64? = nil, now: Int64 = 5000,
    _ body: (inout LayerComposer) throws -> Void
) throws -> Layer {
    let sink = MemorySink()
    var composer = LayerComposer(parent: parent, to: TarWriter(to: sink), latest: latest, now: now)
    try body(&composer)
    let listing = try composer.finish()
    let reader = TarReader(MemorySource(sink.bytes))
    var entries: [(entry: TarEntry, data: [UInt8])] = []
    while let entry = try reader.next() {
        entries.append((entry, try reader.data(of: entry, limit: 1 << 24)))
    }
    return Layer(bytes: sink.bytes, entries: entries, listing: listing)
}

/// The files of `scratch` as a context.
func context(_ scratch: Scratch, filter: (any PathFilter)? = nil) throws -> DirectorySource {
    try ContextDirectory(scratch.path).source(filter: filter)
}

/// The problem that `body` fails with.
func problem(_ body: () throws -> Void) -> CopyError.Problem? {
    do { try body() } catch { return (error as? CopyError)?.problem }
    return nil
}
