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
        guard try mark("\(path)/\(Self.bootFile)", in: scratch.borrowed) != nil,
            try isOfThisBoot(path)
        else { return nil }
        return try StoreError.during("open a tree") { () throws(Errno) in
            try scratch.borrowed.open("\(path)/\(Self.content)", [.readOnly, .directory])
        }
    }

    private func isOfThisBoot(_ path: String) throws(StoreError) -> Bool {
        try read("\(path)/\(Self.bootFile)", limit: 256, in: scratch.borrowed)
            == Array(Host.bootID.utf8)
    }

    /// Where a tree is, below the scratch directory.
    public func treePath(of diffID: Digest, form: TreeForm) -> String {
        "\(path(diffID, form))/\(Self.content)"
    }

    /// Where a tree in the making is, below the scratch directory.
    public func treePath(named name: String, in area: WorkArea) -> String {
        "\(area.scratchPath)/\(name)/\(Self.content)"
    }

    /// Where a layer's listing is, below the store.
    public func listingPath(of diffID: Digest) -> String { "listings/\(diffID.hex)" }

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

    /// Gives a finished tree its name.
    ///
    /// If another process was faster, its tree is as good, and a running step may stand on it: ours goes with the work area. One
    /// of another boot is trusted by nobody: the two change places in one step, so that there always is one.
    public func keepTree(named name: String, in area: WorkArea, as diffID: Digest, form: TreeForm)
        throws(StoreError)
    {
        let path = path(diffID, form)
        let from = area.directory.borrowed
        try StoreError.during("keep a tree") { () throws(Errno) in
            let boot = try from.open(
                "\(name)/\(Self.bootFile)", [.writeOnly, .create, .exclusive], mode: 0o600)
            try boot.borrowed.writeFully(Array(Host.bootID.utf8))
            if let time = markTime(replacing: nil) {
                try boot.borrowed.setTimes(EmptyCollection<UInt8>(), time)
            }
            do throws(Errno) {
                try scratch.borrowed.makeDirectory("trees/\(form.name)".utf8, mode: 0o700)
            } catch {
                if error != .fileExists { throw error }
            }
        }
        let isKept = try placeTree(name, from, path)
        // The other one, too, is now marked as ours.
        if !isKept { _ = try tree(diffID, form: form) }
    }

    private func placeTree(_ name: String, _ area: FileDescriptor, _ path: String)
        throws(StoreError) -> Bool
    {
        let lock = try lockAlone()
        defer { withExtendedLifetime(lock) {} }
        if try isOfThisBoot(path) { return false }
        try StoreError.during("keep a tree") { () throws(Errno) in
            if try scratch.borrowed.statusIfPresent(of: path.utf8) == nil {
                try area.rename(name.utf8, to: scratch.borrowed, path.utf8, replacing: false)
            } else {
                try area.exchange(name.utf8, with: scratch.borrowed, path.utf8)
            }
        }
        return true
    }

    // MARK: - Removing

    /// One unpacked layer, under one map.
    public struct StoredTree: Sendable, Hashable {
        public var map: String
        public var diffID: Digest
        /// When it was made or stood on, in seconds since 1970.
        public var used: Int64
        /// Of this boot.
        public var isUsable: Bool

        public init(map: String, diffID: Digest, used: Int64, isUsable: Bool) {
            self.map = map
            self.diffID = diffID
            self.used = used
            self.isUsable = isUsable
        }
    }

    /// All trees, of all maps.
    public func allTrees() throws -> [StoredTree] {
        var trees: [StoredTree] = []
        for map in try names(in: "trees", of: scratch.borrowed) {
            for name in try names(in: "trees/\(map)", of: scratch.borrowed) {
                guard let diffID = Digest(hex: name) else { continue }
                let path = "trees/\(map)/\(name)"
                let boot = try scratch.borrowed.statusIfPresent(of: "\(path)/\(Self.bootFile)".utf8)
                trees.append(
                    StoredTree(
                        map: map, diffID: diffID, used: boot?.modified.seconds ?? 0,
                        isUsable: try isOfThisBoot(path)))
            }
        }
        return trees
    }

    /// Takes trees away from builds. Their files are removed by `removeTrees`, or swept up by the next worker: they
    /// may belong to ids that are not mapped here. The caller has the lock.
    public func setAside(_ trees: [StoredTree]) throws {
        if trees.isEmpty { return }
        try StoreError.during("set trees aside") { () throws(Errno) in
            let area = try WorkArea(
                in: try scratch.borrowed.open("work", [.readOnly, .directory]), prefix: Self.aside)
            for (index, tree) in trees.enumerated() {
                try scratch.borrowed.rename(
                    "trees/\(tree.map)/\(tree.diffID.hex)".utf8, to: area.directory.borrowed,
                    "\(index)".utf8)
            }
        }
    }

    /// Removes the files of trees that were set aside. Runs where their ids are mapped.
    public func removeTrees() throws {
        let work = try scratch.borrowed.open("work", [.readOnly, .directory])
        for name in try DirectoryReader().names(in: work.borrowed)
        where name.starts(with: Self.aside.utf8) {
            guard let area = try? work.borrowed.open(name, [.readOnly, .directory]),
                let lock = try FileLock.attempt(
                    try area.borrowed.open("lock", .readWrite), .exclusive)
            else { continue }
            try removeTree(name, in: work.borrowed)
            _ = consume lock
        }
    }

    private static let aside = "aside-"
}
