/// A machine that a RUN's filter can be compiled for: 64 bits, little end first.
public enum Architecture: String, CaseIterable, Sendable {
    case x86_64
    case aarch64
    case riscv64

    /// The one this program was built for, if it is among them.
    public static var current: Architecture? {
        #if arch(x86_64)
            .x86_64
        #elseif arch(arm64)
            .aarch64
        #elseif arch(riscv64)
            .riscv64
        #else
            nil
        #endif
    }

    /// `seccomp_data.arch`, which is also libseccomp's token: include/uapi/linux/audit.h
    public var auditNumber: UInt32 {
        switch self {
        case .x86_64: 0xC000_003E
        case .aarch64: 0xC000_00B7
        case .riscv64: 0xC000_00F3
        }
    }

    /// The name in `includes.arches`: Go's.
    var goName: String {
        switch self {
        case .x86_64: "amd64"
        case .aarch64: "arm64"
        case .riscv64: "riscv64"
        }
    }
}

/// The names a profile may use for machines, ours and all others.
enum ArchitectureNames {
    static let go = Set(
        """
        386 amd64 arm arm64 loong64 loongarch64 m68k mips mips64 mips64n32 mips3l64n32 mipsel mipsel64 mipsel64n32 \
        parisc parisc64 ppc ppc64 ppc64le riscv64 s390 s390x sh sheb x32 x86
        """.split(separator: " ").map(String.init))

    static let seccomp = Set(
        """
        AARCH64 ARM LOONGARCH64 M68K MIPS MIPS64 MIPS64N32 MIPSEL MIPSEL64 MIPSEL64N32 NATIVE PARISC PARISC64 \
        PPC PPC64 PPC64LE RISCV64 S390 S390X SH SHEB X32 X86 X86_64
        """.split(separator: " ").map { "SCMP_ARCH_" + $0 })
}
