import Linux
import SystemPackage

/// A cgroup v2 directory in which this user may make cgroups, and what can be limited there.
///
/// Such a directory is "delegated": systemd gives one to each user session, and to a unit with `Delegate=yes`.
final class CgroupTree: Sendable {
    private let directory: OwnedDescriptor
    /// `memory`, `pids`, `cpu`: those that reach a cgroup made here.
    let controllers: Set<String>

    /// The names of cgroups begin so; then comes the process id of their maker.
    private static let prefix = "lichen-"
    private static let wanted: Set = ["memory", "pids", "cpu"]
    private static let largestFile = 1 << 20

    private init(_ directory: consuming OwnedDescriptor, _ controllers: Set<String>) {
        self.directory = directory
        self.controllers = controllers
    }

    /// Why there is none, in words.
    struct Missing: Error { var reason: String }

    /// Our own cgroup where nobody else is in it, else the nearest one above.
    ///
    /// - Parameter family: the processes that may be moved: this one and the one that started it.
    static func delegated(to family: [Int32]) throws(Missing) -> CgroupTree {
        guard let own = read("/proc/self/cgroup").flatMap(CgroupFacts.path) else {
            throw Missing(reason: "this process is in no cgroup v2")
        }
        guard let mount = read("/proc/self/mountinfo").flatMap(CgroupFacts.mount),
            let path = CgroupFacts.directory(of: own, on: mount)
        else { throw Missing(reason: "no cgroup v2 is mounted here") }
        var place = path
        // To move a process the kernel wants us to own a directory above both ends: past the first foreign one is nothing.
        while place.utf8.count >= mount.place.utf8.count {
            guard
                let directory = try? FileDescriptor.workingDirectory.open(
                    place, [.readOnly, .directory], resolve: .system),
                mayWrite(directory.borrowed)
            else { break }
            let controllers = usable(directory.borrowed, isOwn: place == path, family)
            if controllers.isSuperset(of: ["memory", "pids"]) {
                let tree = CgroupTree(directory, controllers)
                tree.sweep()
                return tree
            }
            guard let slash = place.lastIndex(of: "/") else { break }
            place = String(place[..<slash])
        }
        throw Missing(
            reason: "no cgroup v2 with the controllers memory and pids is delegated to this user")
    }

    private static func mayWrite(_ directory: FileDescriptor) -> Bool {
        let file = try? directory.open("cgroup.procs", .writeOnly, resolve: .noLinks)
        return file != nil
    }

    /// The controllers that a cgroup made in `directory` gets, once they are switched on.
    private static func usable(_ directory: FileDescriptor, isOwn: Bool, _ family: [Int32])
        -> Set<String>
    {
        let enabled = words(of: "cgroup.subtree_control", in: directory)
        let possible = words(of: "cgroup.controllers", in: directory).intersection(wanted)
        if possible.isSubset(of: enabled) { return possible }
        // The kernel switches controllers on only where no process is; ours go one down, others' are not ours to move.
        if isOwn, !moveDown(family, in: directory) { return enabled.intersection(wanted) }
        for name in possible.subtracting(enabled).sorted() {
            try? write("+\(name)", to: "cgroup.subtree_control", in: directory)
        }
        return words(of: "cgroup.subtree_control", in: directory).intersection(wanted)
    }

    private static func moveDown(_ family: [Int32], in directory: FileDescriptor) -> Bool {
        let present = words(of: "cgroup.procs", in: directory).compactMap { Int32($0) }
        if present.isEmpty { return true }
        guard Set(present).isSubset(of: family), let maker = family.first else { return false }
        let name = "\(prefix)\(maker)-builder"
        do {
            try directory.makeDirectory(name.utf8, mode: 0o755)
            let leaf = try directory.open(name, [.readOnly, .directory], resolve: .noLinks)
            for pid in present { try write("\(pid)", to: "cgroup.procs", in: leaf.borrowed) }
            return true
        } catch {
            for pid in present { try? write("\(pid)", to: "cgroup.procs", in: directory) }
            try? directory.removeEmptyDirectory(name.utf8)
            return false
        }
    }

    /// Removes what killed builds left: empty cgroups whose maker is gone.
    private func sweep() {
        guard let names = try? DirectoryReader().names(in: directory.borrowed) else { return }
        for bytes in names {
            let name = String(decoding: bytes, as: UTF8.self)
            guard name.hasPrefix(Self.prefix),
                let maker = name.dropFirst(Self.prefix.count).split(separator: "-").first,
                (try? FileDescriptor.workingDirectory.status(of: "/proc/\(maker)".utf8)) == nil
            else { continue }
            // One with processes in it stays.
            try? directory.borrowed.removeEmptyDirectory(bytes)
        }
    }

    // MARK: - A step's cgroup

    /// What is written into a file of a cgroup.
    struct Setting {
        var file, value: String
        /// Whether the kernel may have no such file: memory.swap.max, where it knows no swap.
        var isOptional: Bool

        init(_ file: String, _ value: String, isOptional: Bool = false) {
            self.file = file
            self.value = value
            self.isOptional = isOptional
        }
    }

    /// Makes a cgroup with these settings, and moves `pid` into it.
    func makeCgroup(_ settings: [Setting], for pid: Int32, by maker: Int32)
        throws(SandboxError) -> StepCgroup
    {
        let name = "\(Self.prefix)\(maker)-\(randomName())"
        let parent = directory.borrowed
        let cgroup = try setup("make a cgroup for the sandbox") { () throws(Errno) in
            try parent.makeDirectory(name.utf8, mode: 0o755)
            return try parent.open(name, [.readOnly, .directory], resolve: .noLinks)
        }
        let step = StepCgroup(
            parent: try setup("make a cgroup for the sandbox") {
                () throws(Errno) in try directory.duplicate()
            }, name: name, cgroup)
        for setting in settings {
            try setup("set \(setting.file) of the sandbox's cgroup") { () throws(Errno) in
                do throws(Errno) { try step.write(setting.value, to: setting.file) } catch {
                    if !setting.isOptional || error != .noSuchFileOrDirectory { throw error }
                }
            }
        }
        try setup("move the sandbox into its cgroup") { () throws(Errno) in
            try step.write("\(pid)", to: "cgroup.procs")
        }
        return step
    }

    // MARK: - Files

    private static func read(_ path: String) -> String? {
        guard
            let file = try? FileDescriptor.workingDirectory.open(
                path, .readOnly, resolve: .system),
            let bytes = try? file.borrowed.readAll(limit: largestFile)
        else { return nil }
        return String(decoding: bytes, as: UTF8.self)
    }

    static func text(of name: String, in directory: FileDescriptor) -> String? {
        guard let file = try? directory.open(name, .readOnly, resolve: .noLinks),
            let bytes = try? file.borrowed.readAll(limit: largestFile)
        else { return nil }
        return String(decoding: bytes, as: UTF8.self)
    }

    private static func words(of name: String, in directory: FileDescriptor) -> Set<String> {
        let text = text(of: name, in: directory) ?? ""
        return Set(text.split(whereSeparator: \.isWhitespace).map(String.init))
    }

    static func write(_ value: String, to name: String, in directory: FileDescriptor)
        throws(Errno)
    {
        let file = try directory.open(name, .writeOnly, resolve: .noLinks)
        try file.borrowed.writeFully(Array(value.utf8))
    }

    /// The least `memory.max` of our own cgroup and those above; nil where there is none.
    static func memoryLimit() -> UInt64? {
        guard let own = read("/proc/self/cgroup").flatMap(CgroupFacts.path),
            let mount = read("/proc/self/mountinfo").flatMap(CgroupFacts.mount),
            var place = CgroupFacts.directory(of: own, on: mount)
        else { return nil }
        var least: UInt64?
        while place.utf8.count >= mount.place.utf8.count {
            let words = read(place + "/memory.max")?.split(whereSeparator: \.isWhitespace)
            if let limit = words?.first.flatMap({ UInt64($0) }) {
                least = min(limit, least ?? limit)
            }
            guard let slash = place.lastIndex(of: "/") else { break }
            place = String(place[..<slash])
        }
        return least
    }
}

/// The cgroup of one step; removed with the value.
final class StepCgroup: Sendable {
    private let parent, directory: OwnedDescriptor
    private let name: String

    init(parent: consuming OwnedDescriptor, name: String, _ directory: consuming OwnedDescriptor) {
        self.parent = parent
        self.name = name
        self.directory = directory
    }

    func write(_ value: String, to file: String) throws(Errno) {
        try CgroupTree.write(value, to: file, in: directory.borrowed)
    }

    /// How often the kernel ended a process for the memory limit.
    var memoryKills: Int { count("oom_kill", "memory.events") }
    /// How often it refused to make a process.
    var refusedProcesses: Int { count("max", "pids.events") }

    private func count(_ name: String, _ file: String) -> Int {
        CgroupFacts.count(
            of: name, in: CgroupTree.text(of: file, in: directory.borrowed) ?? "")
    }

    /// The sandbox has ended by now; whatever is left is killed all the same.
    deinit {
        // Since Linux 5.14; the end of process 1 has done it already.
        try? write("1", to: "cgroup.kill")
        for _ in 0..<100 {
            do throws(Errno) {
                try parent.borrowed.removeEmptyDirectory(name.utf8)
                return
            } catch {
                if error != .resourceBusy { return }
                pause(seconds: 0.01)
            }
        }
    }
}
