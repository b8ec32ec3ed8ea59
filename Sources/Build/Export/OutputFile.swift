import Archive
import Glibc
import Linux
import SystemPackage

/// Where a tar goes: a file, which gets its name when it is whole, or a stream, which takes the bytes as they come.
final class OutputFile: ByteSink {
    private let file: OwnedDescriptor
    private let description: String
    private let checkCancellation: @Sendable () throws -> Void
    /// Nil for a stream.
    private var replacement: Replacement?

    private struct Replacement {
        var path: OutputPath
        var parent: SharedDescriptor
        var temporary: [UInt8]
    }

    private init(
        file: consuming OwnedDescriptor, description: String, replacement: Replacement?,
        checkCancellation: @escaping @Sendable () throws -> Void
    ) {
        self.file = file
        self.description = description
        self.replacement = replacement
        self.checkCancellation = checkCancellation
    }

    deinit {
        // Half a tar is of no use; where it can't be removed it lies under a name that nobody takes for a result.
        if let replacement { try? replacement.parent.borrowed.unlink(replacement.temporary) }
    }

    /// Opens `destination`. A device or a fifo that is there is written to, a file is replaced.
    static func open(
        _ destination: ImageOutput.Destination,
        checkCancellation: @escaping @Sendable () throws -> Void
    ) throws(ExportError) -> OutputFile {
        switch destination {
        case .standardOutput:
            if isatty(STDOUT_FILENO) == 1 {
                throw ExportError(.terminal, hint: "redirect it, or give dest=FILE")
            }
            return OutputFile(
                file: try duplicateOfStandardOutput(), description: "standard output",
                replacement: nil, checkCancellation: checkCancellation)
        case .path(let text):
            let path = try OutputPath(text)
            let existing = try path.existing()
            if existing?.kind == .directory || text.hasSuffix("/") {
                throw ExportError(
                    .system(SystemError("write \(text)", .isDirectory)),
                    hint: "name a file for the tar")
            }
            if let existing, existing.kind != .regular {
                return OutputFile(
                    file: try openStream(path), description: text, replacement: nil,
                    checkCancellation: checkCancellation)
            }
            return try replacing(existing == nil ? path : path.resolved(), checkCancellation)
        }
    }

    private static func replacing(
        _ path: OutputPath, _ checkCancellation: @escaping @Sendable () throws -> Void
    ) throws(ExportError) -> OutputFile {
        let parent = SharedDescriptor(try path.openParent())
        let temporary = path.temporaryName
        return OutputFile(
            file: try openNew(temporary, in: parent, path), description: path.text,
            replacement: Replacement(path: path, parent: parent, temporary: temporary),
            checkCancellation: checkCancellation)
    }

    private static func openNew(
        _ name: [UInt8], in parent: SharedDescriptor, _ path: OutputPath
    ) throws(ExportError) -> OwnedDescriptor {
        try ExportError.during("write \(path.text)") { () throws(Errno) in
            try parent.borrowed.open(name, [.writeOnly, .create, .exclusive], mode: 0o666)
        }
    }

    private static func openStream(_ path: OutputPath) throws(ExportError) -> OwnedDescriptor {
        try ExportError.during("write \(path.text)") { () throws(Errno) in
            try FileDescriptor.workingDirectory.open(path.bytes, .writeOnly, resolve: .system)
        }
    }

    private static func duplicateOfStandardOutput() throws(ExportError) -> OwnedDescriptor {
        try ExportError.during("open standard output") { () throws(Errno) in
            let copy = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3)
            if copy < 0 { throw Errno(rawValue: errno) }
            return OwnedDescriptor(owning: copy)
        }
    }

    func write(_ bytes: UnsafeRawBufferPointer) throws {
        try checkCancellation()
        try ExportError.during("write \(description)") { () throws(Errno) in
            try file.borrowed.writeFully(bytes)
        }
    }

    func finish() {}

    /// Gives the file its name.
    func commit() throws(ExportError) {
        guard let replacement else { return }
        try ExportError.during("write \(description)") { () throws(Errno) in
            try file.borrowed.checkClose()
            let parent = replacement.parent.borrowed
            try parent.rename(replacement.temporary, to: parent, replacement.path.name)
        }
        self.replacement = nil
    }
}
