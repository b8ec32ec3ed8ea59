/// What an argument of a call is, for people who read of it.
public enum ArgumentKind: Equatable, Sendable {
    /// A number of so many bits.
    case number(bits: Int)
    /// An address in the caller's memory.
    case address
    /// The address of a text that ends with a zero byte: a path, mostly.
    case text

    /// The arguments of `call`, in order; nil for a call we don't know.
    public static func arguments(of call: String) -> [ArgumentKind]? {
        guard let letters = ArgumentTable.letters[call] else { return nil }
        let texts = texts[call] ?? []
        return letters.enumerated().map { index, letter in
            switch letter {
            case UInt8(ascii: "i"): .number(bits: 32)
            case UInt8(ascii: "h"): .number(bits: 16)
            case UInt8(ascii: "p"): texts.contains(index) ? .text : .address
            default: .number(bits: 64)
            }
        }
    }

    /// Which arguments are texts.
    private static let texts: [String: [Int]] = {
        var table: [String: [Int]] = [:]
        for (indexes, calls) in textCalls {
            for call in calls.split(whereSeparator: \.isWhitespace) {
                table[String(call)] = indexes
            }
        }
        return table
    }()

    private static let textCalls: [([Int], String)] = [
        (
            [0],
            """
            access acct chdir chmod chown chroot creat execve fsopen lchown listxattr llistxattr lookup_dcookie lstat
            memfd_create mkdir mknod mq_open mq_unlink open readlink rmdir sethostname setdomainname stat statfs
            swapoff swapon truncate umount2 unlink utime utimes
            """
        ),
        (
            [1],
            """
            execveat faccessat faccessat2 fanotify_mark fchmodat fchmodat2 fchownat fgetxattr finit_module
            fremovexattr fsetxattr fspick futimesat inotify_add_watch listxattrat mkdirat mknodat mount_setattr
            name_to_handle_at newfstatat open_tree open_tree_attr openat openat2 quotactl readlinkat statx unlinkat
            utimensat
            """
        ),
        (
            [0, 1],
            """
            add_key getxattr lgetxattr link lremovexattr lsetxattr pivot_root removexattr rename setxattr symlink
            """
        ),
        ([1, 2], "fsconfig"),
        ([0, 2], "symlinkat"),
        ([1, 3], "getxattrat linkat move_mount removexattrat renameat renameat2 setxattrat"),
        ([2], "init_module"),
        ([0, 1, 2], "mount request_key"),
    ]
}
