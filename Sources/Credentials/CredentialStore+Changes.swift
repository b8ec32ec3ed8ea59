import Glibc
import Linux
import SystemPackage

extension CredentialStore {
    /// Keeps a credential for a whole registry: in the helper that the file names, else in the file itself.
    ///
    /// The file is the first that a user may mean to write to: `REGISTRY_AUTH_FILE`, else Docker's. What others keep in it stays.
    ///
    /// - Returns: where it is now, for messages.
    public func keep(
        _ credential: Credential, for registry: String
    ) async throws(CredentialError) -> String {
        let keys = RegistryKeys(registry: registry)
        var (path, file) = try primaryFile()
        let name = try file.keeper(for: keys)
        if let name {
            try await CredentialHelper(
                name, namedBy: file.place, environment: places.environment
            ).store(credential, for: keys.key)
        }
        // As Docker does it: an empty entry tells that the helper has it.
        try file.set(name == nil ? credential : nil, for: keys)
        try write(file, to: path)
        return name.map { "docker-credential-" + $0 } ?? file.place
    }

    /// Forgets the credential that `keep` has kept for a registry.
    ///
    /// - Returns: whether there was one.
    public func forget(_ registry: String) async throws(CredentialError) -> Bool {
        let keys = RegistryKeys(registry: registry)
        var (path, file) = try primaryFile()
        var wasThere = false
        if let name = try file.keeper(for: keys) {
            let helper = try CredentialHelper(
                name, namedBy: file.place, environment: places.environment)
            for server in keys.serverAddresses where try await helper.erase(server) {
                wasThere = true
            }
        }
        if try file.remove(keys) {
            wasThere = true
            try write(file, to: path)
        }
        return wasThere
    }

    private func primaryFile() throws(CredentialError) -> (path: String, file: ConfigFile) {
        guard let path = places.primary else {
            throw CredentialError(
                "~/.docker/config.json",
                .system(operation: "find a home for", .noSuchFileOrDirectory))
        }
        let empty = try ConfigFile([], place: places.nameForMessages(of: path))
        return (path, try self.file(path) ?? empty)
    }

    /// Whole or not at all, and for its owner alone.
    private func write(_ file: ConfigFile, to path: String) throws(CredentialError) {
        do throws(Errno) {
            try Self.replace(path, with: Array(file.tree.formatted.utf8))
        } catch {
            throw CredentialError(file.place, .system(operation: "write", error))
        }
    }

    private static func replace(_ path: String, with bytes: [UInt8]) throws(Errno) {
        let target = resolved(path)
        let slash = target.lastIndex(of: "/")
        let parent = slash.map { $0 == target.startIndex ? "/" : String(target[..<$0]) } ?? "."
        let name = slash.map { target[target.index(after: $0)...] } ?? target[...]
        try makeDirectory(parent)
        let directory = try FileDescriptor.workingDirectory.open(
            parent, [.readOnly, .directory], resolve: .system)
        let temporary = ".\(name).\(randomName())"
        do throws(Errno) {
            let file = try directory.borrowed.open(
                temporary, [.writeOnly, .create, .exclusive], mode: 0o600)
            try file.borrowed.writeFully(bytes)
            try file.borrowed.synchronise()
            try file.close()
            try directory.borrowed.rename(
                temporary.utf8, to: directory.borrowed, Array(name.utf8))
        } catch {
            // What was written half is of no use to anybody.
            try? directory.borrowed.unlink(temporary.utf8)
            throw error
        }
    }

    /// Where the file really is: people keep theirs elsewhere, and link to it.
    private static func resolved(_ path: String) -> String {
        guard let real = realpath(path, nil) else { return path }
        defer { free(real) }
        return String(cString: real)
    }

    private static func makeDirectory(_ path: String) throws(Errno) {
        if mkdir(path, 0o700) == 0 || errno == EEXIST { return }
        guard errno == ENOENT, let slash = path.lastIndex(of: "/"), slash != path.startIndex else {
            throw Errno(rawValue: errno)
        }
        try makeDirectory(String(path[..<slash]))
        if mkdir(path, 0o700) != 0 && errno != EEXIST { throw Errno(rawValue: errno) }
    }
}
