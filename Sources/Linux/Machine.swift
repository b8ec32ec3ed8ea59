/// A kind of processor, and how programs for it are told from others.
public struct Machine: Hashable, Sendable {
    /// As images name it: Go's name.
    public let architecture: String
    /// As qemu names it, and uname(2) where it is this machine.
    public let name: String
    private let is64Bit: Bool
    private let isBigEndian: Bool
    /// `e_machine` of elf(5).
    private let number: UInt16

    private init(
        _ architecture: String, _ name: String, _ number: UInt16, is64Bit: Bool = true,
        isBigEndian: Bool = false
    ) {
        self.architecture = architecture
        self.name = name
        self.number = number
        self.is64Bit = is64Bit
        self.isBigEndian = isBigEndian
    }

    /// Those that an emulator can stand in for.
    public static let all = [
        Machine("amd64", "x86_64", 62), Machine("arm64", "aarch64", 183),
        Machine("arm", "arm", 40, is64Bit: false), Machine("386", "i386", 3, is64Bit: false),
        Machine("riscv64", "riscv64", 243), Machine("ppc64le", "ppc64le", 21),
        Machine("s390x", "s390x", 22, isBigEndian: true), Machine("loong64", "loongarch64", 258),
    ]

    /// The one that images call `architecture`.
    public init?(architecture: String) {
        guard let found = Self.all.first(where: { $0.architecture == architecture }) else {
            return nil
        }
        self = found
    }

    /// Whether programs for it run here as they are, and under a RUN's filter: on x86-64 that takes no calls of a 386's.
    public var isNative: Bool { name == Host.machine }

    /// How its programs begin, and which bits of that count: those of the byte order, of the kind of file (a program, moveable or
    /// not) and of the machine. elf(5).
    public var signature: (magic: [UInt8], mask: [UInt8]) {
        let identity: [UInt8] = [0x7F, 0x45, 0x4C, 0x46, is64Bit ? 2 : 1, isBigEndian ? 2 : 1, 1]
        let padding = [UInt8](repeating: 0, count: 16 - identity.count)
        let all = [UInt8](repeating: 0xFF, count: identity.count)
        return (
            identity + padding + bytes(2) + bytes(number),
            all + padding + bytes(0xFFFE) + bytes(0xFFFF)
        )
    }

    private func bytes(_ value: UInt16) -> [UInt8] {
        let (high, low) = (UInt8(value >> 8), UInt8(value & 0xFF))
        return isBigEndian ? [high, low] : [low, high]
    }
}
