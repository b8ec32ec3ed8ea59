import Glibc
import SystemPackage

/// A program that carries out the programs of another machine: qemu's user emulation.
public struct Emulator: Hashable, Sendable, Codable {
    /// `Machine.architecture`
    public var architecture: String
    public var path: String

    public init(architecture: String, path: String) {
        self.architecture = architecture
        self.path = path
    }

    /// The one of this host for `machine` that needs no file of an image: a static one.
    ///
    /// - Parameter searchPath: directories with colons between them; where packages put it is looked at as well.
    public static func installed(for machine: Machine, searchPath: String) -> Emulator? {
        let directories = searchPath.split(separator: ":").map(String.init) + ["/usr/bin"]
        for directory in directories where directory.hasPrefix("/") {
            // Newer packages have static ones without the suffix; with others, that name is a dynamic program.
            for name in ["qemu-\(machine.name)-static", "qemu-\(machine.name)"] {
                let path = "\(directory)/\(name)"
                if access(path, X_OK) == 0, isStatic(path) {
                    return Emulator(architecture: machine.architecture, path: path)
                }
            }
        }
        return nil
    }

    /// Whether it is a program without a loader (PT_INTERP), as its first bytes tell. elf(5).
    private static func isStatic(_ path: String) -> Bool {
        guard let file = try? openPlainly(path) else { return false }
        return ProgramHead(file.borrowed.head(4096))?.hasLoader == false
    }
}

/// The head of a 64-bit program, little end first, as those of all machines are that we run on.
private struct ProgramHead {
    private(set) var hasLoader = false

    init?(_ bytes: [UInt8]) {
        guard bytes.count >= 64, bytes[..<6] == [0x7F, 0x45, 0x4C, 0x46, 2, 1] else { return nil }
        func number(_ offset: Int, _ count: Int) -> Int? {
            guard offset >= 0, offset <= bytes.count - count else { return nil }
            let value = bytes[offset..<(offset + count)].reversed().reduce(UInt64(0)) {
                $0 << 8 | UInt64($1)
            }
            return Int(exactly: value)
        }
        guard let start = number(32, 8), let size = number(54, 2), let count = number(56, 2),
            start < bytes.count
        else { return nil }
        for index in 0..<count {
            guard let type = number(start + index * size, 4) else { return nil }
            if type == Self.interpreter { hasLoader = true }
        }
    }

    private static let interpreter = 3
}

extension FileDescriptor {
    /// Its first bytes; fewer where it has no more or can't be read.
    fileprivate func head(_ count: Int) -> [UInt8] {
        [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
            filled = max(0, Glibc.pread(rawValue, buffer.baseAddress!, count, 0))
        }
    }
}
