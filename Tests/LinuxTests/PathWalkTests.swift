import Glibc
import Synchronization
import SystemPackage
import Testing

@testable import Linux

/// What opening a path came to.
private enum Answer: Equatable {
    case opened(FileKey)
    case refused(Errno)

    struct FileKey: Equatable { var device: DeviceNumber, inode: UInt64 }

    init(_ open: () throws(Errno) -> OwnedDescriptor) {
        do throws(Errno) {
            let file = try open()
            let status = try file.borrowed.status()
            self = .opened(FileKey(device: status.device, inode: status.inode))
        } catch { self = .refused(error) }
    }
}

/// The walk that stands in for openat2 where there is none.
@Suite struct `A walk without openat2` {
    private static let ways: [Resolve] = [
        .inRoot, .beneath, .noLinks, [.inRoot, .noLinks], [.beneath, .noLinks], .system,
        [.inRoot, .sameMount], [.beneath, .sameMount], .sameMount, [.noLinks, .sameMount],
    ]
    private static let flags: [OpenFlags] = [
        .pathOnly, [.pathOnly, .noFollow], .readOnly, [.readOnly, .noFollow],
        [.readOnly, .directory], [.pathOnly, .directory], [.pathOnly, .directory, .noFollow],
        [.readOnly, .directory, .noFollow], .readWrite, [.pathOnly, .readWrite],
    ]

    @Test(arguments: 1...12)
    func `comes to the file or errno that the kernel comes to`(seed: Int) throws {
        var dice = Dice(seed: UInt64(seed))
        let tree = try RandomTree(&dice)
        var opened = 0
        for _ in 0..<2500 {
            let path = Array(RandomTree.path(&dice).utf8)
            let way = Self.ways.randomElement(using: &dice)!
            let flags = Self.flags.randomElement(using: &dice)!
            let start = dice.once(in: 2) ? tree.root.borrowed : tree.handle.borrowed
            let kernel = Answer { () throws(Errno) in try start.open(path, flags, resolve: way) }
            let walk = Answer { () throws(Errno) in
                try start.openByWalking(path, flags, resolve: way)
            }
            if case .opened = kernel { opened += 1 }
            #expect(
                walk == kernel,
                "\(String(decoding: path, as: UTF8.self)) flags \(flags) resolve \(way)")
        }
        #expect(opened > 100, "the tree has too little in it")
    }

    @Test(arguments: [40, 41])
    func `follows forty links and no more`(count: Int) throws {
        let scratch = Scratch()
        try scratch.file("end")
        try scratch.root.makeSymbolicLink("l1".utf8, to: "end".utf8)
        for index in 2...41 {
            try scratch.root.makeSymbolicLink("l\(index)".utf8, to: "l\(index - 1)".utf8)
        }
        for way in [Resolve.inRoot, .beneath] {
            let path = Array("l\(count)".utf8)
            let root = scratch.root
            let walk = Answer { () throws(Errno) in
                try root.openByWalking(path, .readOnly, resolve: way)
            }
            #expect(
                walk == Answer { () throws(Errno) in try root.open(path, .readOnly, resolve: way) })
            #expect((walk == .refused(.tooManySymbolicLinkLevels)) == (count > 40))
        }
    }

    @Test func `makes files as the kernel does`() throws {
        let scratch = Scratch()
        try scratch.directory("d")
        try scratch.root.makeSymbolicLink("dangling".utf8, to: "d/made".utf8)
        try scratch.root.makeSymbolicLink("out".utf8, to: "../made".utf8)
        let cases: [(path: String, flags: OpenFlags, errno: Errno?)] = [
            ("dangling", [.writeOnly, .create, .exclusive], .fileExists),
            ("dangling", [.writeOnly, .create, .noFollow], .tooManySymbolicLinkLevels),
            ("dangling", [.writeOnly, .create], nil),
            ("d/x/", [.writeOnly, .create], .isDirectory),
            ("d", [.writeOnly, .create], .isDirectory),
            ("d/.", [.readOnly, .create], .isDirectory),
            ("out", [.writeOnly, .create], .improperLink),
        ]
        for (path, flags, errno) in cases {
            let walk = Answer { () throws(Errno) in
                try scratch.root.openByWalking(path.utf8, flags, mode: 0o640, resolve: .beneath)
            }
            if let errno { #expect(walk == .refused(errno), "\(path)") }
        }
        #expect(try scratch.root.status(of: "d/made".utf8).permissions & 0o700 == 0o600)
    }

    @Test func `leaves no descriptor behind`() throws {
        var dice = Dice(seed: 99)
        let tree = try RandomTree(&dice)
        let before = try tree.root.borrowed.shared().borrowed.rawValue
        for _ in 0..<500 {
            let path = Array(RandomTree.path(&dice).utf8)
            _ = try? tree.root.borrowed.openByWalking(path, .pathOnly, resolve: .inRoot)
        }
        // Other tests open files beside this one; a leak would be hundreds.
        let after = try tree.root.borrowed.shared().borrowed.rawValue
        #expect(after < before + 60)
    }

    /// Somebody moves a directory out of the root and back while paths go down into it and up again.
    @Test func `is not led out by who moves directories`() throws {
        let scratch = Scratch()
        for name in ["root", "root/d", "root/d/e", "outside"] { try scratch.directory(name) }
        try scratch.file("root/secret")
        try scratch.file("outside/secret")
        let secret = try scratch.root.status(of: "outside/secret".utf8).inode
        let root = try scratch.root.open("root", [.pathOnly, .directory])
        let outside = try scratch.root.open("outside", [.pathOnly, .directory])
        let path = Array("d/e/../../secret".utf8)
        func reaches(_ open: () throws(Errno) -> OwnedDescriptor) -> Bool {
            do throws(Errno) {
                let file = try open()
                return try file.borrowed.status().inode == secret
            } catch { return false }
        }
        let (from, to) = (SharedDescriptor(root), SharedDescriptor(outside))
        let mover = ThreadGroup()
        let flag = Flag()
        mover.start {
            while !flag.isSet {
                try? from.borrowed.rename("d".utf8, to: to.borrowed, "d".utf8)
                sched_yield()
                try? to.borrowed.rename("d".utf8, to: from.borrowed, "d".utf8)
                sched_yield()
            }
        }
        defer {
            flag.set()
            mover.wait()
        }
        // The walk that everybody writes first is led out, so the race is there to be lost.
        var isLost = false
        for _ in 0..<5_000_000 where !isLost {
            isLost = reaches { () throws(Errno) in try openNaively(path, in: from.borrowed) }
        }
        #expect(isLost)
        for _ in 0..<20_000 {
            let isLedOut = reaches { () throws(Errno) in
                try from.borrowed.openByWalking(path, .readOnly, resolve: .beneath)
            }
            #expect(!isLedOut)
            if isLedOut { break }
        }
    }

    /// Somebody lets a directory and a link to the outside change places.
    @Test func `is not led out by who swaps links`() throws {
        let scratch = Scratch()
        for name in ["root", "root/d", "outside"] { try scratch.directory(name) }
        try scratch.file("outside/f")
        try scratch.file("root/d/f")
        try scratch.root.makeSymbolicLink("root/l".utf8, to: "../outside".utf8)
        let stranger = try scratch.root.status(of: "outside/f".utf8).inode
        let shared = SharedDescriptor(try scratch.root.open("root", [.pathOnly, .directory]))
        let (flag, swapper) = (Flag(), ThreadGroup())
        swapper.start {
            while !flag.isSet {
                try? shared.borrowed.exchange("d".utf8, with: shared.borrowed, "l".utf8)
            }
        }
        defer {
            flag.set()
            swapper.wait()
        }
        var inside = 0
        for way in [Resolve.inRoot, .beneath, .noLinks] {
            for _ in 0..<8000 {
                do throws(Errno) {
                    let file = try shared.borrowed.openByWalking(
                        "d/f".utf8, .readOnly, resolve: way)
                    #expect(try file.borrowed.status().inode != stranger)
                    inside += 1
                } catch {
                    #expect(
                        [
                            .noSuchFileOrDirectory, .improperLink, .tooManySymbolicLinkLevels,
                        ].contains(error))
                }
            }
        }
        #expect(inside > 0)
    }
}

private final class Flag: Sendable {
    private let value = Atomic(false)
    var isSet: Bool { value.load(ordering: .relaxed) }
    func set() { value.store(true, ordering: .relaxed) }
}

/// Component by component, with `..` as the kernel finds it then.
private func openNaively(_ path: [UInt8], in root: FileDescriptor) throws(Errno) -> OwnedDescriptor
{
    var current = try root.open(".", [.pathOnly, .directory])
    for component in path.split(separator: UInt8(ascii: "/")) {
        let raw = withCPath(component) {
            openat(current.raw, $0, O_RDONLY | O_NOFOLLOW | O_CLOEXEC)
        }
        if raw < 0 { throw Errno(rawValue: errno) }
        current = OwnedDescriptor(owning: raw)
        sched_yield()
    }
    return current
}
