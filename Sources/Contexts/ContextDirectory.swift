public import Layers
import Limits
public import Linux
public import SystemPackage

/// A build context that is a directory of this machine.
public struct ContextDirectory: ~Copyable {
    /// The most that is read of an ignore file.
    public static let largestIgnoreFile = Limit.ignoreFile

    private let directory: OwnedDescriptor

    /// Opens the directory at `path`, which the user typed.
    public init(_ path: some Collection<UInt8>) throws(SystemError) {
        directory = try during("open the build context \(printable(path))") { () throws(Errno) in
            try FileDescriptor.workingDirectory.open(
                path, [.readOnly, .directory], resolve: .system)
        }
    }

    public init(_ path: String) throws(SystemError) { try self.init(path.utf8) }

    public init(owning directory: consuming OwnedDescriptor) { self.directory = directory }

    public var borrowed: FileDescriptor { directory.borrowed }

    /// An ignore file, by the name that messages have for it.
    public struct IgnoreText: Equatable, Sendable {
        public var name: String
        public var bytes: [UInt8]

        public init(name: String, bytes: [UInt8]) {
            self.name = name
            self.bytes = bytes
        }
    }

    /// The ignore file that counts: `<Dockerfile>.dockerignore` beside the Dockerfile, else `.dockerignore` of the context. Nil where
    /// there is neither.
    ///
    /// - Parameters:
    ///   - dockerfile: the name of the Dockerfile in its directory; nil where it came from elsewhere.
    ///   - dockerfileDirectory: the context itself if nil.
    public func ignoreText(
        dockerfile: String?, in dockerfileDirectory: FileDescriptor? = nil
    ) throws(SystemError) -> IgnoreText? {
        if let dockerfile {
            let name = dockerfile + ".dockerignore"
            if let bytes = try read(name, in: dockerfileDirectory ?? borrowed) {
                return IgnoreText(name: name, bytes: bytes)
            }
        }
        let name = ".dockerignore"
        return try read(name, in: borrowed).map { IgnoreText(name: name, bytes: $0) }
    }

    /// A file of the context by its path, links followed below the context's root; nil where there is none.
    public func read(
        _ name: String, in directory: FileDescriptor, limit: Int = largestIgnoreFile
    ) throws(SystemError) -> [UInt8]? {
        try during("read \(printable(name.utf8))") { () throws(Errno) -> [UInt8]? in
            do throws(Errno) {
                let file = try directory.open(
                    name, [.readOnly, .nonBlocking], resolve: .inRoot)
                guard try file.borrowed.status().kind == .regular else { return nil }
                return try file.borrowed.readAll(limit: limit)
            } catch {
                if error == .noSuchFileOrDirectory || error == .notDirectory { return nil }
                throw error
            }
        }
    }

    /// What COPY may take.
    public consuming func source(filter: (any PathFilter)? = nil) -> DirectorySource {
        DirectorySource(directory, filter: filter)
    }
}
