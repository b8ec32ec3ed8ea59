public import Linux
import SystemPackage

/// Something that a RUN asked to have mounted: a detached mount of a directory or a file, and where it goes.
public struct StepMount: Sendable {
    public var tree: SharedDescriptor
    /// A path of the RUN; relative ones begin at its working directory.
    public var target: [UInt8]
    /// Whether it is a file system in memory that this RUN alone has: then what it holds is the RUN's memory.
    public var isOwnMemory: Bool

    public init(tree: SharedDescriptor, target: [UInt8], isOwnMemory: Bool = false) {
        self.isOwnMemory = isOwnMemory
        self.tree = tree
        self.target = target
    }
}

/// The places of a RUN's own mounts.
///
/// A place is looked for where it will lie: in the root file system, or in an earlier mount that covers the path. What is
/// missing there is made; what was made in the root file system is taken away after the step, as far as it is still empty.
struct ExtraPlaces: ~Copyable {
    /// In the order in which they are attached: what lies below comes after.
    private(set) var mounts: [StepSpecification.Mount] = []
    private var places: [SharedDescriptor] = []
    private var made: [(path: [[UInt8]], kind: FileKind)] = []

    /// - Parameter covered: mounts that are there before, by their paths.
    init(
        _ wanted: [StepMount], workingDirectory: [UInt8], in root: FileDescriptor,
        covered: [(path: String, tree: FileDescriptor)]
    ) throws(SandboxError) {
        var above = covered.map { (path: Self.parts(Array($0.path.utf8)), tree: $0.tree) }
        let sorted = wanted.map { mount in
            let start = mount.target.first == 0x2f ? [] : Self.parts(workingDirectory)
            return (path: Self.cleaned(start + Self.parts(mount.target)), tree: mount.tree)
        }.enumerated().sorted {
            ($0.element.path.count, $0.offset) < ($1.element.path.count, $1.offset)
        }
        for (_, mount) in sorted {
            try check(mount.path)
            let cover = above.last { mount.path.starts(with: $0.path) }
            let rest = Array(mount.path.dropFirst(cover?.path.count ?? 0))
            let place = try place(
                rest, isDirectory: try Self.isDirectory(mount.tree), in: cover?.tree ?? root,
                isRoot: cover == nil, path: mount.path)
            places.append(place)
            mounts.append(.init(tree: mount.tree.borrowed, target: place.borrowed))
            above.append((mount.path, mount.tree.borrowed))
        }
    }

    /// What a RUN's own file systems must stay: they show and protect what is the kernel's.
    private func check(_ path: [[UInt8]]) throws(SandboxError) {
        if path.isEmpty {
            throw SandboxError(.image("a mount can't be at / of a RUN"))
        }
        for name in ["proc", "sys"] where path[0].elementsEqual(name.utf8) {
            throw SandboxError(.image("a mount can't be below /\(name) of a RUN"))
        }
    }

    private mutating func place(
        _ parts: [[UInt8]], isDirectory: Bool, in start: FileDescriptor, isRoot: Bool,
        path: [[UInt8]]
    ) throws(SandboxError) -> SharedDescriptor {
        let words = "/" + printable(Array(path.joined(separator: [0x2f])))
        return try setup("make a place for the mount \(words)") { () throws(Errno) in
            for count in parts.indices.map({ $0 + 1 }) {
                let isLast = count == parts.count
                let name = Array(parts[..<count].joined(separator: [0x2f]))
                do throws(Errno) {
                    _ = try start.open(name, .pathOnly, resolve: .inRoot)
                    continue
                } catch { if error != .noSuchFileOrDirectory { throw error } }
                let above = Array(parts[..<(count - 1)].joined(separator: [0x2f]))
                let parent = try start.open(
                    above.isEmpty ? [0x2e] : above, [.readOnly, .directory], resolve: .inRoot)
                let before = try parent.borrowed.status().modified
                if isLast && !isDirectory {
                    _ = try parent.borrowed.open(
                        parts[count - 1], [.create, .exclusive, .writeOnly], mode: 0o644,
                        resolve: .noLinks)
                } else {
                    try parent.borrowed.makeDirectory(parts[count - 1], mode: 0o755)
                }
                try parent.borrowed.setTimes(EmptyCollection(), before)
                if isRoot {
                    made.append(
                        (Array(parts[..<count]), isLast && !isDirectory ? .regular : .directory))
                }
            }
            let whole = Array(parts.joined(separator: [0x2f]))
            return SharedDescriptor(
                try start.open(whole.isEmpty ? [0x2e] : whole, .pathOnly, resolve: .inRoot))
        }
    }

    /// Takes away what was made in the root file system, unless there is something in it now.
    func undo(in root: FileDescriptor) {
        for place in made.reversed() {
            let above = Array(place.path.dropLast().joined(separator: [0x2f]))
            // A RUN may have removed the parent, or put something else in its place.
            guard
                let parent = try? root.open(
                    above.isEmpty ? [0x2e] : above, [.readOnly, .directory], resolve: .inRoot),
                let before = try? parent.borrowed.status().modified,
                let status = try? parent.borrowed.status(of: place.path.last!),
                status.kind == place.kind
            else { continue }
            let isGone =
                if place.kind == .directory {
                    (try? parent.borrowed.removeEmptyDirectory(place.path.last!)) != nil
                } else {
                    status.size == 0 && (try? parent.borrowed.unlink(place.path.last!)) != nil
                }
            if isGone { try? parent.borrowed.setTimes(EmptyCollection<UInt8>(), before) }
        }
    }

    private static func isDirectory(_ tree: SharedDescriptor) throws(SandboxError) -> Bool {
        try setup("look at a mount") { () throws(Errno) in
            try tree.borrowed.status().kind == .directory
        }
    }

    private static func parts(_ path: [UInt8]) -> [[UInt8]] {
        path.split(separator: 0x2f).map { Array($0) }
    }

    /// Without "." and "..": a target is a path of the RUN, and above its root is its root.
    private static func cleaned(_ parts: [[UInt8]]) -> [[UInt8]] {
        var result: [[UInt8]] = []
        for part in parts where !part.elementsEqual(".".utf8) {
            if part.elementsEqual("..".utf8) { _ = result.popLast() } else { result.append(part) }
        }
        return result
    }
}
