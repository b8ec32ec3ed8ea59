import Archive
import Glibc
import SystemPackage

/// A temporary directory, removed with all that is in it.
final class Scratch {
    let path: String

    init() {
        var template = Array("/tmp/lichen-archive-XXXXXX".utf8CString)
        path = String(cString: mkdtemp(&template)!)
    }

    deinit { _ = Tool.run("rm", "-rf", path) }

    func file(_ name: String, _ bytes: [UInt8] = []) throws -> String {
        let file = "\(path)/\(name)"
        let descriptor = try FileDescriptor.open(
            FilePath(file), .writeOnly, options: [.create, .truncate],
            permissions: .ownerReadWrite)
        try descriptor.closeAfter { _ = try descriptor.writeAll(bytes) }
        return file
    }

    func bytes(of name: String) throws -> [UInt8] {
        let descriptor = try FileDescriptor.open(FilePath("\(path)/\(name)"), .readOnly)
        return try descriptor.closeAfter { try all(DescriptorSource(descriptor)) }
    }
}

/// What a program of the system said.
struct Tool {
    var status: CInt
    var output: [UInt8]
    var text: String { String(decoding: output, as: UTF8.self) }

    /// Runs `arguments`, looked up in PATH, and waits. Standard error joins the output.
    static func run(_ arguments: String...) -> Tool { run(arguments) }

    static func run(_ arguments: [String]) -> Tool {
        var ends: [CInt] = [0, 0]
        pipe(&ends)
        defer { close(ends[0]) }
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_adddup2(&actions, ends[1], 1)
        posix_spawn_file_actions_adddup2(&actions, ends[1], 2)
        posix_spawn_file_actions_addclose(&actions, ends[0])
        var pid = pid_t()
        var words = arguments.map { strdup($0) } + [nil]
        defer { for word in words { free(word) } }
        let error = posix_spawnp(&pid, arguments[0], &actions, nil, &words, environ)
        close(ends[1])
        if error != 0 { return Tool(status: -1, output: []) }
        let output = (try? all(DescriptorSource(FileDescriptor(rawValue: ends[0])))) ?? []
        var status: CInt = 0
        waitpid(pid, &status, 0)
        return Tool(status: status, output: output)
    }
}

/// Everything a source gives, asked for in pieces of `piece` bytes.
func all(_ source: any ByteSource, piece: Int = 65536) throws -> [UInt8] {
    var bytes: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: piece)
    while true {
        let count = try buffer.withUnsafeMutableBytes { try source.read(into: $0) }
        if count == 0 { return bytes }
        bytes += buffer[..<count]
    }
}

/// All entries of an archive with their data.
func entries(of bytes: [UInt8]) throws -> [(entry: TarEntry, data: [UInt8])] {
    let reader = TarReader(MemorySource(bytes))
    var entries: [(TarEntry, [UInt8])] = []
    while let entry = try reader.next() {
        entries.append((entry, try reader.data(of: entry, limit: 1 << 24)))
    }
    return entries
}

/// An archive of `entries`, as our writer makes it.
func tar(_ entries: [(entry: TarEntry, data: [UInt8])]) throws -> [UInt8] {
    let sink = MemorySink()
    let writer = TarWriter(to: sink)
    for (entry, data) in entries {
        try writer.begin(entry)
        try data.withUnsafeBytes { try writer.write($0) }
        try writer.end()
    }
    try writer.finish()
    return sink.bytes
}

/// A file entry with its data.
func file(_ path: String, _ data: [UInt8] = []) -> (entry: TarEntry, data: [UInt8]) {
    file(Array(path.utf8), data)
}

func file(_ path: [UInt8], _ data: [UInt8] = []) -> (entry: TarEntry, data: [UInt8]) {
    var entry = TarEntry(path: path, kind: .file)
    entry.mode = 0o644
    entry.size = Int64(data.count)
    return (entry, data)
}

/// Bytes that look like nothing, the same for each seed.
struct Noise: RandomNumberGenerator {
    private var state: UInt64

    init(_ seed: UInt64) { state = seed &* 0x9e37_79b9_7f4a_7c15 | 1 }

    mutating func next() -> UInt64 {
        state ^= state << 13
        state ^= state >> 7
        state ^= state << 17
        return state
    }

    /// `count` bytes that compress about as well as a program does.
    mutating func text(_ count: Int) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(count + 16)
        while bytes.count < count {
            if bytes.count > 64, Bool.random(using: &self) {
                let start = Int.random(in: 0..<bytes.count - 32, using: &self)
                let end = start + Int.random(in: 4..<32, using: &self)
                // A slice would share the array, and appending it copy all of it.
                for index in start..<end { bytes.append(bytes[index]) }
            } else {
                let word = next()
                for shift in 0..<8 { bytes.append(UInt8(truncatingIfNeeded: word >> (shift * 8))) }
            }
        }
        return Array(bytes.prefix(count))
    }
}

/// `bytes` as a compressor of ours packs them.
func packed(
    _ bytes: [UInt8], threads: Int = 2, make: (MemorySink, Int) throws -> any ByteSink
) throws -> [UInt8] {
    let sink = MemorySink()
    let writer = try make(sink, threads)
    try bytes.withUnsafeBytes { try writer.write($0) }
    try writer.finish()
    return sink.bytes
}

func gzipped(_ bytes: [UInt8], level: Int = 1, threads: Int = 2) throws -> [UInt8] {
    try packed(bytes, threads: threads) {
        try GzipBlockWriter(to: $0, level: level, threads: $1)
    }
}

func problem(_ body: () throws -> Void) -> ArchiveError.Problem? {
    do { try body() } catch { return (error as? ArchiveError)?.problem }
    return nil
}

func hex(_ bytes: [UInt8]) -> String {
    bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
}
