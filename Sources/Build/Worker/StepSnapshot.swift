import Layers
import Linux
import Sandbox
import SystemPackage

/// The files of one step: mounted for its command, looked through afterwards. What differs between places that have overlay
/// and those that have not is behind this protocol; the layers are the same.
protocol StepSnapshot {
    /// The root file system, for as long as the value lives.
    func mount(allowsSetUserID: Bool) throws -> Rootfs
    /// The image's root before the step.
    var rootBefore: RootAttributes { get }
    /// Brings what the step wrote into the upper directory, if it is not there by itself.
    ///
    /// - Returns: what the step removed, where the upper directory has no marks for it.
    func gather() throws -> Removals?
    /// Takes away everything that is of no use any more: the step failed, or changed nothing.
    func discard()
}

/// Layers stacked by the kernel. The diff reads what was written, never the image.
struct OverlaySnapshot: StepSnapshot {
    private let below: TreeMaker.OpenLayers
    private let stub: SharedDescriptor
    private let upper: FileDescriptor
    private let name: String
    private let area: FileDescriptor
    private let work: SharedDescriptor
    let rootBefore: RootAttributes

    /// - Parameters:
    ///   - stub: the lowest layer, with the mount points that an image may lack.
    ///   - upper: an empty tree called `name` in `area`.
    init(
        _ below: TreeMaker.OpenLayers, stub: SharedDescriptor, upper: FileDescriptor,
        _ form: TreeForm, named name: String, in area: FileDescriptor
    ) throws {
        self.below = below
        self.stub = stub
        self.upper = upper
        self.name = name
        self.area = area
        work = SharedDescriptor(try makeDirectory("\(name)-work", in: area))
        rootBefore = try RootAttributes.of(below.stack, trees: below.descriptors)
        try rootBefore.apply(to: upper, form)
        try ImpliedDirectories(below.stack, trees: below.descriptors, form).make(in: upper)
    }

    func mount(allowsSetUserID: Bool) throws -> Rootfs {
        try Rootfs(
            lowers: below.mountable.reversed() + [stub.borrowed], upper: upper,
            work: work.borrowed, allowsSetUserID: allowsSetUserID)
    }

    func gather() -> Removals? { nil }

    func discard() {
        Self.removeWork(of: name, in: area)
        try? removeTree(name.utf8, in: area)
    }

    /// Removes overlay's own directory, which takes as long as the file system's journal likes: where no step waits for it. What
    /// stays of it goes with the work area.
    static func removeWork(of name: String, in area: FileDescriptor) {
        try? removeTree("\(name)-work".utf8, in: area)
    }
}

/// A copy of all layers, where nothing can be stacked. The diff looks at every file of the image.
struct CopySnapshot: StepSnapshot {
    private let below: TreeMaker.OpenLayers
    private let upper: FileDescriptor
    private let name: String
    private let area: FileDescriptor
    private let tree: SharedDescriptor
    private let copy: TreeCopier.Copy
    let rootBefore: RootAttributes

    /// - Parameter upper: an empty tree called `name` in `area`.
    init(
        _ below: TreeMaker.OpenLayers, upper: FileDescriptor, _ form: TreeForm, named name: String,
        in area: FileDescriptor
    ) throws {
        self.below = below
        self.upper = upper
        self.name = name
        self.area = area
        tree = SharedDescriptor(try makeDirectory("\(name)-copy", in: area))
        rootBefore = try RootAttributes.of(below.stack, trees: below.descriptors)
        try rootBefore.apply(to: tree.borrowed, form)
        copy = try TreeCopier.copy(
            below.stack, trees: below.descriptors, into: tree.borrowed, form)
    }

    func mount(allowsSetUserID: Bool) throws -> Rootfs {
        try Rootfs(copy: tree.borrowed, allowsSetUserID: allowsSetUserID)
    }

    func gather() throws -> Removals? {
        let removals = try CopyChanges.move(
            from: tree.borrowed, to: upper, since: copy, lower: below.stack,
            trees: below.descriptors)
        removeCopy()
        return removals
    }

    func discard() {
        removeCopy()
        try? removeTree(name.utf8, in: area)
    }

    private func removeCopy() { try? removeTree("\(name)-copy".utf8, in: area) }
}

func makeDirectory(_ name: String, in directory: FileDescriptor) throws -> OwnedDescriptor {
    try directory.makeDirectory(name.utf8, mode: 0o700)
    return try directory.open(name, [.readOnly, .directory])
}
