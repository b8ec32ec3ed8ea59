import CSeccomp
import Glibc

/// The system calls of one machine: names and numbers.
///
/// libseccomp's table, and beside it the calls that are newer than the library we are linked with.
struct CallTable: Sendable {
    enum Meaning: Equatable {
        case number(Int)
        /// A call of other machines only.
        case elsewhere
        case unknown
    }

    let architecture: Architecture
    /// By number.
    let names: [Int: String]
    private let numbers: [String: Int]

    init(_ architecture: Architecture) {
        self.architecture = architecture
        var names: [Int: String] = [:]
        for number in 0..<Self.end {
            guard
                let name = seccomp_syscall_resolve_num_arch(architecture.auditNumber, CInt(number))
            else { continue }
            names[number] = String(cString: name)
            free(name)
        }
        for call in Self.recent where call.machine == nil || call.machine == architecture {
            names[call.number] = call.name
        }
        self.names = names
        // Two numbers of one name don't occur; were there such, the lower would count.
        numbers = Dictionary(names.map { ($1, $0) }, uniquingKeysWith: min)
    }

    func meaning(of name: String) -> Meaning {
        if let number = numbers[name] { return .number(number) }
        return Self.isName(name) ? .elsewhere : .unknown
    }

    /// Whether any machine has a call of this name.
    static func isName(_ name: String) -> Bool {
        guard !name.isEmpty, name.utf8.count <= 64,
            name.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F })
        else { return false }
        if recent.contains(where: { $0.name == name }) { return true }
        // Any machine will do: the library knows foreign names as negative numbers below -1.
        return seccomp_syscall_resolve_name_arch(Architecture.x86_64.auditNumber, name)
            != __NR_SCMP_ERROR
    }

    /// Above every number in use; x32's bit and a tracer's -1 lie far beyond.
    private static let end = 1024

    /// Linux 6.8 to 6.19, where Debian 12's libseccomp ends at 6.7. The numbers without a machine are the same on all.
    private static let recent: [(number: Int, name: String, machine: Architecture?)] = [
        (457, "statmount", nil), (458, "listmount", nil), (459, "lsm_get_self_attr", nil),
        (460, "lsm_set_self_attr", nil), (461, "lsm_list_modules", nil), (462, "mseal", nil),
        (463, "setxattrat", nil), (464, "getxattrat", nil), (465, "listxattrat", nil),
        (466, "removexattrat", nil), (467, "open_tree_attr", nil), (468, "file_getattr", nil),
        (469, "file_setattr", nil), (470, "listns", nil),
        (335, "uretprobe", .x86_64), (336, "uprobe", .x86_64), (258, "riscv_hwprobe", .riscv64),
    ]
}
