import Glibc
import SystemPackage

@testable import Linux

/// A temporary directory, removed with all that is in it.
final class Scratch {
    let path: String
    let root: FileDescriptor

    init() {
        var template = Array("/tmp/lichen-linux-XXXXXX".utf8CString)
        path = String(cString: mkdtemp(&template)!)
        root = try! FileDescriptor.open(FilePath(path), .readOnly)
    }

    deinit {
        try? root.close()
        let parent = try? FileDescriptor.open("/tmp", .readOnly)
        try? parent.map { try removeTree(path.split(separator: "/").last!.utf8, in: $0) }
        try? parent?.close()
    }

    func directory(_ name: String, mode: UInt32 = 0o755) throws {
        try root.makeDirectory(name.utf8, mode: mode)
    }

    func file(_ name: String, mode: UInt32 = 0o644) throws {
        _ = try root.open(name, [.writeOnly, .create, .exclusive], mode: mode, resolve: .system)
    }
}

/// Numbers that depend on a seed alone.
struct Dice: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed &* 0x9e37_79b9_7f4a_7c15 &+ 1 }

    mutating func next() -> UInt64 {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return state ^ (state >> 29)
    }

    /// True once in `count` times.
    mutating func once(in count: Int) -> Bool { Int.random(in: 0..<count, using: &self) == 0 }
}

/// A tree with what paths can run into, beside a file that none of them may reach.
struct RandomTree {
    let scratch = Scratch()
    let root: SharedDescriptor
    /// The directory that is the root, without the right to read it.
    let handle: SharedDescriptor
    private static let names = ["a", "b", "c", "d", "e", "l1", "l2", "l3"]

    init(_ dice: inout Dice) throws {
        try scratch.directory("root")
        try scratch.directory("outside")
        try scratch.file("outside/f")
        root = SharedDescriptor(try scratch.root.open("root", [.readOnly, .directory]))
        handle = SharedDescriptor(try scratch.root.open("root", [.pathOnly, .directory]))
        for _ in 0..<80 {
            let depth = Int.random(in: 1...4, using: &dice)
            let place =
                "root/"
                + (0..<depth).map { _ in Self.names.randomElement(using: &dice)! }
                .joined(separator: "/")
            // Most names are taken, or lie below what is no directory.
            switch Int.random(in: 0..<5, using: &dice) {
            case 0, 1: try? scratch.directory(place, mode: dice.once(in: 12) ? 0o600 : 0o755)
            case 2: try? scratch.file(place, mode: dice.once(in: 8) ? 0 : 0o644)
            default:
                let target = Self.target(&dice)
                try? scratch.root.makeSymbolicLink(place.utf8, to: target.utf8)
            }
        }
    }

    private static func target(_ dice: inout Dice) -> String {
        if dice.once(in: 12) { return "../outside/f" }
        if dice.once(in: 15) { return "/proc/self/fd/0" }
        if dice.once(in: 30) { return "/" }
        let path = Self.path(&dice)
        return path.isEmpty ? "a" : path
    }

    /// Names, dots, slashes, and now and then something worse.
    static func path(_ dice: inout Dice) -> String {
        if dice.once(in: 60) {
            return ["/proc/self/fd/0", "/proc/self/cwd", "/proc/mounts", "/proc", "/"]
                .randomElement(using: &dice)!
        }
        var path = dice.once(in: 5) ? "/" : ""
        let count = Int.random(in: 0...5, using: &dice)
        for index in 0..<count {
            path += (names + ["..", ".", "missing"]).randomElement(using: &dice)!
            if index + 1 < count || dice.once(in: 4) { path += dice.once(in: 6) ? "//" : "/" }
        }
        if dice.once(in: 60) { path += String(repeating: "n", count: 260) }
        if dice.once(in: 300) { path += String(repeating: "/a", count: 2100) }
        return path
    }
}
