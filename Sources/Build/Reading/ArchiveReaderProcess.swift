import Archive
import Contexts
import FoundationEssentials
import Glibc
import Linux
import Policy
import SystemPackage

/// The reader of archives: a process of the builder's that alone decompresses and parses what strangers packed for a context or
/// an ADD.
///
/// It has nothing: no file but those it is handed open, no way to open one, no network, no environment. It needs no namespace,
/// so it is there on every host, and before anything is known of a build. What it makes of an archive are entries, and the
/// builder believes them no more than it would believe the archive.
public enum ArchiveReaderProcess {
    /// The first argument by which the program knows that it is the reader.
    public static let argument = "--lichen-reader"

    /// Serves the builder on descriptor 3 until it is gone.
    public static func run() -> Never {
        _ = makeNotDumpable()
        signal(SIGPIPE, SIG_IGN)
        let socket = MessageSocket(OwnedDescriptor(owning: 3))
        // A library that is loaded at first use can't be loaded where nothing can be opened.
        Decompressor.prepare()
        do { try confine() } catch {
            let words = "lichen reader: \(BuildError(any: error).message)\n"
            try? FileDescriptor.standardError.writeFully(Array(words.utf8))
            endProcess(1)
        }
        // The first word to the builder: it is shut in.
        try? socket.send([])
        while let message = try? socket.receive() {
            guard
                let request = try? JSONDecoder().decode(
                    ArchiveRequest.self, from: Data(message.body)),
                let archive = message.takeDescriptor(), let answer = message.takeDescriptor()
            else { break }
            let (input, output) = (SharedDescriptor(archive), SharedDescriptor(answer))
            startThread { carryOut(request, input, output) }
        }
        endProcess(0)
    }

    private static func confine() throws {
        guard let architecture = Architecture.current, let kernel = KernelVersion.running else {
            throw WorkerFailure(
                category: .host, message: "no system call policy for this machine")
        }
        let program = try SandboxPolicy.readerProgram(architecture: architecture, kernel: kernel)
        let words = FileDescriptor.standardError
        let kept = SharedDescriptor(
            OwnedDescriptor(owning: fcntl(words.rawValue, F_DUPFD_CLOEXEC, 3)))
        try leaveStreams()
        do { try confineToDescriptors(filter: program.bytes) } catch {
            dup2(kept.borrowed.rawValue, words.rawValue)
            throw error
        }
    }

    /// The builder's input, output and terminal are none of its business.
    private static func leaveStreams() throws {
        try during("open /dev/null") { () throws(Errno) in
            let null = try FileDescriptor.workingDirectory.open(
                "/dev/null", .readWrite, resolve: .noLinks)
            for number in CInt(0)...2 {
                if dup2(null.raw, number) < 0 { throw Errno(rawValue: errno) }
            }
        }
    }

    private static func carryOut(
        _ request: ArchiveRequest, _ archive: SharedDescriptor, _ answer: SharedDescriptor
    ) {
        let writer = EntryStreamWriter(DescriptorSink(answer.borrowed))
        let source: any ByteSource =
            request.isFile
            ? DescriptorSource(archive.borrowed, offset: 0)
            : StartedSource(request.start, PatientSource(archive.borrowed) {})
        do {
            switch request.question {
            case .isArchive: try writer.send(ArchiveSniffer.isArchive(source))
            case .entries(let limits):
                try writer.send { TarReader(try Decompressor(source, limits: limits)) }
            }
        } catch {
            // Nobody listens any more, which is not our business.
        }
    }
}

/// Bytes that have been read already, and what follows them.
private final class StartedSource: ByteSource {
    private let start: [UInt8]
    private let rest: any ByteSource
    private var position = 0

    init(_ start: [UInt8], _ rest: any ByteSource) {
        self.start = start
        self.rest = rest
    }

    func read(into buffer: UnsafeMutableRawBufferPointer) throws -> Int {
        let count = min(buffer.count, start.count - position)
        if count == 0 { return try rest.read(into: buffer) }
        buffer.copyBytes(from: start[position..<position + count])
        position += count
        return count
    }
}
