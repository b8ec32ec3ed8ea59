#if WEAKENED
    import Glibc
#endif

/// A defence that can be left out in a test build, to prove that the attacks of the tests see it missing.
///
/// In every other build the answer is the constant false, and nothing of this is in the program. CShims/weak.h is the same for C;
/// scripts/weaken makes such a build, and the table in docs/security.md.
public enum Defence: Sendable {
    /// A step of root's can gain no rights by an execve.
    case noNewPrivileges
    /// Names with ".." in an archive are refused.
    case parentNames
    /// A hard link of an archive leads to a file of the same archive.
    case linkTargets
    /// What is downloaded has the digest that it was asked for by.
    case digests
    /// A credential does not go where a registry redirects to.
    case redirects
    /// A token service is one that its registry may name.
    case realms
    /// Control characters of others do not reach the terminal.
    case sanitizer
    /// A store that others can open is not used.
    case storeMode

    /// Whether it is left out.
    @inlinable
    public var isLeftOut: Bool {
        #if WEAKENED
            isNamed
        #else
            false
        #endif
    }

    #if WEAKENED
        /// Whether LICHEN_WEAKEN, names with commas between them, has it.
        @usableFromInline
        var isNamed: Bool {
            guard let value = getenv("LICHEN_WEAKEN") else { return false }
            return String(cString: value).split(separator: ",").contains { $0 == "\(self)" }
        }
    #endif
}
