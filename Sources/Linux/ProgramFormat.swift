import Glibc
import SystemPackage

/// What the kernel starts for files that it can't execute itself: an entry of binfmt_misc.
///
/// Linux, Documentation/admin-guide/binfmt-misc.rst.
public struct ProgramFormat: Equatable, Sendable {
    public var isEnabled: Bool
    public var interpreter: String
    public var flags: String
    private var offset = 0
    private var magic: [UInt8] = []
    private var mask: [UInt8] = []

    /// Reads an entry as the kernel prints it; nil for one that goes by the ends of names, or can't be read.
    public init?(entry text: String) {
        (isEnabled, interpreter, flags) = (false, "", "")
        for line in text.split(separator: "\n") {
            let words = line.split(separator: " ", maxSplits: 1).map(String.init)
            switch (words.first ?? "", words.count > 1 ? words[1] : "") {
            case ("enabled", ""): isEnabled = true
            case ("interpreter", let path): interpreter = path
            case ("flags:", let letters): flags = letters
            case ("offset", let number):
                guard let offset = Int(number) else { return nil }
                self.offset = offset
            case ("magic", let digits):
                guard let bytes = Self.bytes(digits) else { return nil }
                magic = bytes
            case ("mask", let digits):
                guard let bytes = Self.bytes(digits) else { return nil }
                mask = bytes
            default: continue
            }
        }
        if mask.isEmpty { mask = [UInt8](repeating: 0xFF, count: magic.count) }
        if interpreter.isEmpty || magic.isEmpty || mask.count != magic.count { return nil }
    }

    /// Whether it takes the programs of `machine`, from any root: its interpreter was opened when it was registered (`F`).
    public func serves(_ machine: Machine) -> Bool {
        guard isEnabled, flags.contains("F"), offset == 0 else { return false }
        let wanted = machine.signature.magic
        guard magic.count <= wanted.count else { return false }
        return magic.indices.allSatisfy { (wanted[$0] ^ magic[$0]) & mask[$0] == 0 }
    }

    private static func bytes(_ digits: String) -> [UInt8]? {
        let digits = Array(digits.utf8)
        guard digits.count.isMultiple(of: 2) else { return nil }
        var bytes: [UInt8] = []
        for index in stride(from: 0, to: digits.count, by: 2) {
            let pair = String(decoding: digits[index..<(index + 2)], as: UTF8.self)
            guard let byte = UInt8(pair, radix: 16) else { return nil }
            bytes.append(byte)
        }
        return bytes
    }
}

extension ProgramFormat {
    /// Where administrators and packages register them, for all of the machine.
    public static let systemDirectory = "/proc/sys/fs/binfmt_misc"

    /// What is registered and in force; nothing where no binfmt_misc is mounted.
    public static func registered(in directory: String = systemDirectory) -> [ProgramFormat] {
        // Whatever can't be read is not there for us.
        guard text("status", directory)?.hasPrefix("enabled") == true,
            let opened = try? openPlainly(directory),
            let names = try? DirectoryReader().names(in: opened.borrowed)
        else { return [] }
        return names.prefix(mostEntries).compactMap { name in
            text(String(decoding: name, as: UTF8.self), directory).flatMap {
                ProgramFormat(entry: $0)
            }
        }
    }

    private static let mostEntries = 1024

    private static func text(_ name: String, _ directory: String) -> String? {
        if name == "register" { return nil }
        guard
            let file = try? openPlainly("\(directory)/\(name)"),
            let bytes = try? file.borrowed.readAll(limit: 1 << 16)
        else { return nil }
        return String(decoding: bytes, as: UTF8.self)
    }
}

/// Opens a file or directory of the host for reading. Plain open(2): doctor looks as well, also where openat2 is refused.
func openPlainly(_ path: String) throws(Errno) -> OwnedDescriptor {
    let raw = Glibc.open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)
    if raw < 0 { throw Errno(rawValue: errno) }
    return OwnedDescriptor(owning: raw)
}
