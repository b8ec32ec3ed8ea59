import Glibc
import Linux
import SystemPackage

extension SecretSource {
    /// What the secret `id` is, read now.
    ///
    /// - Throws: `BuildError` naming the secret and its source, never its value.
    func value(of id: String) throws(BuildError) -> [UInt8] {
        switch self {
        case .environment(let name):
            guard let value = getenv(name) else {
                throw BuildError(
                    .input, "the secret \(id) is the variable \(name), which is not set")
            }
            return Array(String(cString: value).utf8)
        case .file(let path):
            do throws(Errno) {
                let file = try FileDescriptor.workingDirectory.open(
                    path, [.readOnly, .nonBlocking], resolve: .system)
                // A pipe would be waited for, or read empty.
                if try file.borrowed.status().kind != .regular { throw Errno.invalidArgument }
                return try file.borrowed.readAll(limit: RunMounts.largestFile)
            } catch  where error == .invalidArgument {
                throw BuildError(
                    .input, "the secret \(id) is to come from \(path), which is no ordinary file",
                    hint: "what a program prints can be given by a variable: env=NAME")
            } catch {
                throw BuildError(
                    .init(error, else: .input),
                    "read the secret \(id) from \(path): \(error.inWords)")
            }
        }
    }
}
