import Linux
import SystemPackage

/// Where this program's file is; nil where /proc does not say.
func ownProgramPath() -> String? {
    // No /proc: then there are worse news.
    guard let path = try? FileDescriptor.workingDirectory.readLink("/proc/self/exe".utf8) else {
        return nil
    }
    return printable(path)
}
