import Archive
import Contexts
import FoundationEssentials
import Linux
import Synchronization
import SystemPackage

/// The builder's side of the reader of archives: made for the first archive of a build, asked by many threads at once.
final class ArchiveReaderClient: ArchiveReading, Sendable {
    /// What the pipe of an answer holds, where the kernel allows it: reading and using an archive overlap.
    private static let pipeSize = 1 << 20

    private let state = Mutex(State())
    /// Waits for changes of the state.
    private let changed = Monitor()

    private struct State {
        var isStarted = false
        var connection: Connection?
        var failure: (any Error)?
        var hasEnded = false
    }

    private struct Connection: Sendable {
        var socket: MessageSocket
        var process: ProcessHandle
    }

    // MARK: - Asking

    func isArchive(_ file: FileDescriptor) throws -> Bool {
        // What is not packed needs no parser; most files end here.
        if let answer = ArchiveSniffer.isPlainArchive(file) { return answer }
        return try ask(ArchiveRequest(question: .isArchive, isFile: true), file).answer()
    }

    func entries(of file: FileDescriptor, _ limits: DecompressionLimits) throws -> any EntryReader {
        try ask(ArchiveRequest(question: .entries(limits), isFile: true), file)
    }

    /// The entries of what comes through a file, a pipe or a socket.
    ///
    /// - Parameter start: what was taken of it before.
    func entries(
        of stream: FileDescriptor, after start: [UInt8], _ limits: DecompressionLimits,
        checkCancellation: @escaping () throws -> Void
    ) throws -> any EntryReader {
        let request = ArchiveRequest(question: .entries(limits), isFile: false, start: start)
        let input = try readable(stream)
        defer { withExtendedLifetime(input) {} }
        return try ask(request, input?.borrowed ?? stream, checkCancellation)
    }

    /// A pipe with what comes through `stream`, where that could be written to as well, as a socket can; else nil.
    private func readable(_ stream: FileDescriptor) throws -> SharedDescriptor? {
        if try stream.isReadOnly() { return nil }
        let pipe = try Pipe()
        let source = stream.rawValue
        pipe.reading.borrowed.growPipe(to: Self.pipeSize)
        let writing = SharedDescriptor(try pipe.writing.duplicate())
        let isGone = isGone
        startThread {
            let sink = DescriptorSink(writing.borrowed)
            let bytes = PatientSource(FileDescriptor(rawValue: source)) {
                if isGone() { throw EntryStreamError.ended }
            }
            let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 18, alignment: 64)
            defer { buffer.deallocate() }
            // An end of either side is the end of the pipe: whoever reads it sees what is missing.
            while let count = try? bytes.read(into: buffer), count > 0 {
                guard (try? sink.write(UnsafeRawBufferPointer(rebasing: buffer[..<count]))) != nil
                else { return }
            }
        }
        return SharedDescriptor(pipe.closeWriting())
    }

    /// Whether the process has ended, or is to.
    private var isGone: @Sendable () -> Bool {
        { [self] in state.withLock { $0.failure != nil } }
    }

    private func ask(
        _ request: ArchiveRequest, _ archive: FileDescriptor,
        _ checkCancellation: @escaping () throws -> Void = {}
    ) throws -> EntryStreamReader {
        let connection = try connection()
        let answer = try Pipe()
        answer.reading.borrowed.growPipe(to: Self.pipeSize)
        let body = [UInt8](try JSONEncoder().encode(request))
        do {
            try connection.socket.send(body, [archive, answer.writing.borrowed])
        } catch { throw EntryStreamError.ended }
        // Our own end of its side goes here: then its death is our end of file.
        let reading = SharedDescriptor(answer.closeWriting())
        return EntryStreamReader(Answer(reading, checkCancellation))
    }

    /// The answer's pipe, which stays open as long as somebody reads it.
    private final class Answer: ByteSource {
        private let pipe: SharedDescriptor
        private let source: PatientSource

        init(_ pipe: SharedDescriptor, _ checkCancellation: @escaping () throws -> Void) {
            self.pipe = pipe
            source = PatientSource(pipe.borrowed, checkCancellation: checkCancellation)
        }

        func read(into buffer: UnsafeMutableRawBufferPointer) throws -> Int {
            try source.read(into: buffer)
        }
    }

    // MARK: - Its life

    /// Ends the process, if there is one, and waits for that. What is asked afterwards fails.
    func finish() {
        let connection = state.withLock { state -> Connection? in
            if !state.isStarted { (state.isStarted, state.hasEnded) = (true, true) }
            state.failure = state.failure ?? EntryStreamError.ended
            defer { state.connection = nil }
            return state.connection
        }
        connection?.process.kill()
        changed.wait { state.withLock { $0.hasEnded ? () : nil } }
    }

    private func connection() throws -> Connection {
        let isFirst = state.withLock { state in
            defer { state.isStarted = true }
            return !state.isStarted
        }
        // This thread clones it and lives until it is reaped: PR_SET_PDEATHSIG watches the thread.
        if isFirst { startThread { self.live() } }
        return try changed.wait {
            try state.withLock { state in
                if let failure = state.failure { throw failure }
                return state.connection
            }
        }
    }

    private func live() {
        var failure: any Error = EntryStreamError.ended
        do {
            var started = try begin()
            let connection = Connection(
                socket: started.socket, process: try started.child.handle())
            let isWanted = state.withLock { state in
                if state.failure == nil { state.connection = connection }
                return state.failure == nil
            }
            if !isWanted { connection.process.kill() }
            changed.change {}
            _ = try? started.child.wait()
        } catch let error { failure = error }
        changed.change {
            state.withLock { state in
                state.failure = state.failure ?? failure
                (state.connection, state.hasEnded) = (nil, true)
            }
        }
    }

    private struct Started: ~Copyable {
        var child: Child
        let socket: MessageSocket
    }

    private func begin() throws -> Started {
        let (ours, theirs) = try MessageSocket.pair()
        let child = try Child.worker(
            program: "/proc/self/exe", arguments: ["lichen", ArchiveReaderProcess.argument],
            environment: [], keeping: theirs.descriptor, in: .none)
        _ = consume theirs
        try child.proceed()
        if let report = try child.awaitExec() {
            throw WorkerFailure(
                category: .host,
                message: "start the reader of archives: \(report.step): \(report.errno.inWords)")
        }
        guard try ours.receive() != nil else {
            throw WorkerFailure(
                category: .host, message: "the reader of archives could not be shut in",
                hint: "its words are above")
        }
        return Started(child: child, socket: ours)
    }
}
