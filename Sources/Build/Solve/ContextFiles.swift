import Contexts
import Layers
import Linux
import OCI
import Store
import SystemPackage

/// The files of a build context, wherever they came from.
final class ContextFiles: Sendable {
    private enum Place: Sendable {
        case directory(String)
        /// A Dockerfile that came in place of files.
        case nothing
        case unpacked(WorkArea, EntryRecords)
        case repository(GitCheckout, keepsGitDirectory: Bool, now: Int64)
    }

    private let place: Place
    /// What messages call it.
    let name: String
    /// The Dockerfile that came in place of files.
    let dockerfile: [UInt8]?

    /// A directory of this machine, where it is. It is opened when it is needed.
    init(directory: String) {
        place = .directory(directory)
        name = Harmless.text(directory, limit: 300)
        dockerfile = nil
    }

    /// - Parameter dockerfile: the only file; COPY sees none.
    init(dockerfile: [UInt8], name: String) {
        place = .nothing
        self.name = name
        self.dockerfile = dockerfile
    }

    /// - Parameter area: belongs to this value from now on.
    init(unpackedIn area: WorkArea, _ records: EntryRecords, name: String) {
        place = .unpacked(area, records)
        self.name = name
        dockerfile = nil
    }

    init(_ checkout: GitCheckout, keepsGitDirectory: Bool, now: Int64, name: String) {
        place = .repository(checkout, keepsGitDirectory: keepsGitDirectory, now: now)
        self.name = name
        dockerfile = nil
    }

    /// Whether it is a directory of the user's, beside which Dockerfiles may lie.
    var isOfThisMachine: Bool {
        if case .directory = place { true } else { false }
    }

    /// Where an unpacked archive lies in its work area.
    static let treeName = "tree"

    /// Its files as they lie; nil where there are none.
    func directory() throws -> ContextDirectory? {
        switch place {
        case .nothing: return nil
        case .directory(let path): return try Self.open(path)
        case .unpacked(let area, _): return ContextDirectory(owning: try Self.tree(in: area))
        case .repository(let checkout, _, _):
            return ContextDirectory(owning: try checkout.directory())
        }
    }

    /// What COPY may take.
    func source(filter: (any PathFilter)?) throws -> any CopySource {
        switch place {
        case .nothing: return EmptySource()
        case .directory(let path): return try Self.open(path).source(filter: filter)
        case .unpacked(let area, let records):
            return ContextTree(
                DirectorySource(try Self.tree(in: area), filter: filter), records)
        case .repository(let checkout, let keeps, let now):
            return try checkout.source(keepsRepository: keeps, filter: filter, now: now)
        }
    }

    /// Takes away what was fetched. What stays is swept up by a later build.
    func remove() {
        switch place {
        case .directory, .nothing: break
        case .unpacked(let area, _): try? area.remove()
        case .repository(let checkout, _, _): checkout.remove()
        }
    }

    private static func tree(in area: WorkArea) throws -> OwnedDescriptor {
        try during("open the unpacked build context") { () throws(Errno) in
            try area.directory.borrowed.open(
                treeName, [.readOnly, .directory], resolve: .noLinks)
        }
    }

    private static func open(_ path: String) throws(BuildError) -> ContextDirectory {
        do throws(SystemError) { return try ContextDirectory(path) } catch {
            let isFile = error.errno == .notDirectory
            throw BuildError(
                .init(error.errno, else: .input), error.description,
                hint: isFile ? "an archive comes through standard input: lichen build - <FILE" : nil
            )
        }
    }
}
