import FoundationEssentials
import Glibc
import TestSupport

/// What of the host has to be the same after an attack as before it, whether the attack was refused or not.
struct Surroundings {
    private let canary: [String: PathSnapshot]
    private let mounts: String
    private let program: PathSnapshot
    private let names: [String: Set<String>]

    /// Places where a slip of a builder would leave something, and that ordinary users may write to, or root.
    private static let places = ["/", "/etc", "/dev/shm", "/tmp", "/var/tmp", "/run", "/home"]

    init(_ scene: Scene) throws {
        canary = try scene.canary.snapshot()
        mounts = try Self.text("/proc/self/mountinfo")
        program = try PathSnapshot(LichenProgram.binary, isRead: false)
        names = Dictionary(uniqueKeysWithValues: Self.places.map { ($0, Self.names(in: $0)) })
    }

    /// All that an attack has changed; empty where it has done no harm.
    func differences(_ scene: Scene) throws -> [String] {
        let now = try Surroundings(scene)
        var found: [String] = []
        for path in Set(canary.keys).union(now.canary.keys).sorted()
        where canary[path] != now.canary[path] {
            found.append(
                "\(path) was \(canary[path], default: "absent"), is \(now.canary[path], default: "gone")"
            )
        }
        if now.mounts != mounts { found.append("the host's mounts changed") }
        // Its ctime may change: whoever copies a build folder makes links.
        if now.program.inode != program.inode || now.program.modified != program.modified
            || now.program.size != program.size || now.program.permissions != program.permissions
        {
            found.append("the builder's file changed: \(now.program)")
        }
        for place in Self.places {
            // Other tests work at the same time, each below a name of its own.
            let new = now.names[place]!.subtracting(names[place]!).filter {
                $0.contains("pwn") || $0.contains("lichen-escape") || place == "/"
            }
            found += new.sorted().map { "\(place) has a new \($0)" }
        }
        found += scene.strays.map { "the scratch directory has a new \($0)" }
        found += Self.processes(marked: scene.marker).map { "process \($0) was left behind" }
        return found
    }

    private static func names(in directory: String) -> Set<String> {
        Set((try? FileManager.default.contentsOfDirectory(atPath: directory)) ?? [])
    }

    private static func text(_ path: String) throws -> String {
        String(decoding: try bytes(of: path), as: UTF8.self)
    }

    /// A file of /proc, whose size says nothing.
    private static func bytes(of path: String) throws -> [UInt8] {
        guard let file = fopen(path, "re") else { throw TestSupportError("open \(path)") }
        defer { fclose(file) }
        var all: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 8192)
        while case let count = fread(&buffer, 1, buffer.count, file), count > 0 {
            all += buffer[..<count]
        }
        return all
    }

    /// Processes whose environment or command line holds `marker`. Those of subordinate ids show their command line only, so what a
    /// case leaves behind carries the marker there, too.
    static func processes(marked marker: String) -> [String] {
        let marker = Array(marker.utf8)
        return names(in: "/proc").filter { $0.allSatisfy(\.isNumber) && $0 != "\(getpid())" }
            .filter { id in
                ["environ", "cmdline"].contains { file in
                    // Gone by now, or somebody else's.
                    guard let bytes = try? bytes(of: "/proc/\(id)/\(file)") else { return false }
                    return bytes.holds(marker)
                }
            }.sorted()
    }
}

extension [UInt8] {
    /// Whether `word` occurs in it. By the C library: a debug build looks through megabytes of these after each case.
    fileprivate func holds(_ word: [UInt8]) -> Bool {
        withUnsafeBytes { bytes in
            var from = 0
            while from + word.count <= bytes.count,
                let found = memchr(bytes.baseAddress! + from, CInt(word[0]), bytes.count - from)
            {
                from = UnsafeRawPointer(found) - bytes.baseAddress!
                if from + word.count <= bytes.count, memcmp(found, word, word.count) == 0 {
                    return true
                }
                from += 1
            }
            return false
        }
    }
}
