public import Linux
public import OCI
import SystemPackage

/// Unpacked layers, as overlay wants them: made on demand, thrown away freely.
///
/// A tree is not synced; it carries the boot in which it was made, and one of another boot is not trusted.
extension Store {
    private static let content = "tree"
    private static let bootFile = "boot"

    private func path(_ diffID: Digest, _ map: IDMap) -> String {
        "trees/\(map.fileName)/\(diffID.hex)"
    }

    /// The unpacked layer, nil where it has to be unpacked.
    public func tree(_ diffID: Digest, map: IDMap) throws(StoreError) -> OwnedDescriptor? {
        let path = path(diffID, map)
        let made = try read("\(path)/\(Self.bootFile)", limit: 256, in: scratch.borrowed)
        if made != Array(Host.bootID.utf8) { return nil }
        return try StoreError.during("open a tree") { () throws(Errno) in
            try scratch.borrowed.open("\(path)/\(Self.content)", [.readOnly, .directory])
        }
    }

    /// Makes the place for a new tree in `area`: the caller fills `tree` and then keeps it.
    public func newTree(named name: String, in area: WorkArea) throws(StoreError) -> OwnedDescriptor
    {
        try StoreError.during("make a tree") { () throws(Errno) in
            try area.directory.borrowed.makeDirectory(name.utf8, mode: 0o700)
            let path = "\(name)/\(Self.content)"
            try area.directory.borrowed.makeDirectory(path.utf8, mode: 0o755)
            return try area.directory.borrowed.open(path, [.readOnly, .directory])
        }
    }

    /// Gives a finished tree its name. If another process was faster, its tree is as good, and ours goes with the work area.
    public func keepTree(named name: String, in area: WorkArea, as diffID: Digest, map: IDMap)
        throws(StoreError)
    {
        let path = path(diffID, map)
        try StoreError.during("keep a tree") { () throws(Errno) in
            let from = area.directory.borrowed
            let boot = try from.open(
                "\(name)/\(Self.bootFile)", [.writeOnly, .create, .exclusive], mode: 0o600)
            try boot.borrowed.writeFully(Array(Host.bootID.utf8))
            do throws(Errno) {
                try scratch.borrowed.makeDirectory("trees/\(map.fileName)".utf8, mode: 0o700)
            } catch {
                if error != .fileExists { throw error }
            }
            do throws(Errno) {
                return try from.rename(name.utf8, to: scratch.borrowed, path.utf8, replacing: false)
            } catch {
                if error != .fileExists && error != .directoryNotEmpty { throw error }
            }
            // One of another boot lies there, or one that another process made just now. In both cases it goes aside, and ours
            // takes its place: who has the other open keeps it.
            try scratch.borrowed.rename(path.utf8, to: from, "replaced-\(randomName())".utf8)
            do throws(Errno) {
                try from.rename(name.utf8, to: scratch.borrowed, path.utf8, replacing: false)
            } catch {
                if error != .fileExists && error != .directoryNotEmpty { throw error }
            }
        }
    }

    /// Whether anything is unpacked here.
    public func hasTrees() throws -> Bool {
        let trees = try scratch.borrowed.open("trees", [.readOnly, .directory])
        return try !DirectoryReader().names(in: trees.borrowed).isEmpty
    }

    /// Removes all trees. Runs where their ids are mapped.
    public func removeTrees() throws {
        let reader = DirectoryReader()
        let trees = try scratch.borrowed.open("trees", [.readOnly, .directory])
        for name in try reader.names(in: trees.borrowed) {
            try removeTree(name, in: trees.borrowed)
        }
    }
}
