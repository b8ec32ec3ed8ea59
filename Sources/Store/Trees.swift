public import Layers
public import Linux
public import OCI
import SystemPackage

/// Unpacked layers, as overlay wants them: made on demand, thrown away freely.
///
/// A tree is not synced; it carries the boot in which it was made, and one of another boot is not trusted.
extension Store {
    private static let content = "tree"
    private static let bootFile = "boot"

    private func path(_ diffID: Digest, _ form: TreeForm) -> String {
        "trees/\(form.name)/\(diffID.hex)"
    }

    /// The unpacked layer, nil where it has to be unpacked.
    public func tree(_ diffID: Digest, form: TreeForm) throws(StoreError) -> OwnedDescriptor? {
        let path = path(diffID, form)
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
    public func keepTree(named name: String, in area: WorkArea, as diffID: Digest, form: TreeForm)
        throws(StoreError)
    {
        let path = path(diffID, form)
        let from = area.directory.borrowed
        let isKept = try StoreError.during("keep a tree") { () throws(Errno) in
            let boot = try from.open(
                "\(name)/\(Self.bootFile)", [.writeOnly, .create, .exclusive], mode: 0o600)
            try boot.borrowed.writeFully(Array(Host.bootID.utf8))
            do throws(Errno) {
                try scratch.borrowed.makeDirectory("trees/\(form.name)".utf8, mode: 0o700)
            } catch {
                if error != .fileExists { throw error }
            }
            do throws(Errno) {
                try from.rename(name.utf8, to: scratch.borrowed, path.utf8, replacing: false)
                return true
            } catch {
                if error != .fileExists && error != .directoryNotEmpty { throw error }
                return false
            }
        }
        if !isKept { try replaceTree(diffID, form, by: name, in: from) }
    }

    /// There is a tree already. Of this boot, it is as good as ours, and a running step may stand on it: ours goes with the work
    /// area. One of another boot is trusted by nobody: the two change places in one step, so that there always is one; under a
    /// lock, so that two who do it at once don't take away each other's.
    private func replaceTree(
        _ diffID: Digest, _ form: TreeForm, by name: String, in area: FileDescriptor
    ) throws(StoreError) {
        let lock = try StoreError.during("lock the trees") { () throws(Errno) in
            try FileLock(try openLock("trees.lock"), .exclusive)
        }
        defer { withExtendedLifetime(lock) {} }
        if try tree(diffID, form: form) != nil { return }
        try StoreError.during("replace a tree") { () throws(Errno) in
            try area.exchange(name.utf8, with: scratch.borrowed, path(diffID, form).utf8)
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
