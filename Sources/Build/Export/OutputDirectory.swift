import Linux
import SystemPackage

/// The directory that an output fills: a new one, which gets its name when it is whole, or one that was there.
final class OutputDirectory {
    enum State: Equatable { case new, empty, filled }

    let state: State
    private let directory: OwnedDescriptor
    private let path: OutputPath
    /// Of a new one.
    private var parent: SharedDescriptor?
    private let temporary: [UInt8]
    private var isCommitted = false

    var descriptor: FileDescriptor { directory.borrowed }

    /// Opens the directory at `path`, or makes one that is to be called so.
    init(_ path: OutputPath) throws(ExportError) {
        self.path = path
        temporary = path.temporaryName
        guard try path.existing() == nil else {
            directory = try Self.openExisting(path)
            state = try Self.isEmpty(path) ? .empty : .filled
            return
        }
        let parent = SharedDescriptor(try path.openParent())
        directory = try Self.make(temporary, in: parent.borrowed, path)
        self.parent = parent
        state = .new
    }

    /// What is not committed is removed; what was there before stays.
    deinit {
        if isCommitted { return }
        // An error is on its way already; what can't be removed lies under a name that nobody takes for a result.
        switch state {
        case .new: if let parent { try? removeTree(temporary, in: parent.borrowed) }
        case .empty: try? removeContents()
        case .filled: break
        }
    }

    /// Gives a new directory its name.
    func commit() throws(ExportError) {
        if let parent {
            try ExportError.during("make \(path.text)") { () throws(Errno) in
                // Of directories only an empty one is replaced.
                try parent.borrowed.rename(temporary, to: parent.borrowed, path.name)
            }
        }
        isCommitted = true
    }

    private func removeContents() throws {
        let listed = try descriptor.open(".", [.readOnly, .directory])
        for name in try DirectoryReader().names(in: listed.borrowed) {
            try removeTree(name, in: descriptor)
        }
    }

    private static func openExisting(_ path: OutputPath) throws(ExportError) -> OwnedDescriptor {
        try ExportError.during("open \(path.text)") { () throws(Errno) in
            try FileDescriptor.workingDirectory.open(
                path.bytes, [.readOnly, .directory], resolve: .system)
        }
    }

    private static func make(
        _ name: [UInt8], in parent: FileDescriptor, _ path: OutputPath
    ) throws(ExportError) -> OwnedDescriptor {
        try ExportError.during("make \(path.text)") { () throws(Errno) in
            try parent.makeDirectory(name, mode: 0o777)
            return try parent.open(name, [.readOnly, .directory, .noFollow])
        }
    }

    private static func isEmpty(_ path: OutputPath) throws(ExportError) -> Bool {
        // Through a descriptor of its own: reading moves the position.
        let listed = try openExisting(path)
        do { return try DirectoryReader().names(in: listed.borrowed).isEmpty } catch {
            let reason = error as? Errno ?? .ioError
            throw ExportError(.system(SystemError("read \(path.text)", reason)))
        }
    }
}
