import Linux
import Synchronization
import SystemPackage

/// This user's credentials: files and helpers, read when they are asked for.
public final class CredentialStore: CredentialProvider {
    let places: CredentialPlaces
    /// A helper is asked once about a server: some ask back, or take a second.
    private let answers = Mutex<[String: Credential?]>([:])

    public init(_ places: CredentialPlaces) { self.places = places }

    /// The first place that knows something answers; a place that cannot be read is an error, and so is a helper that fails.
    public func credential(
        registry: String, repository: String
    ) async throws(CredentialError) -> Credential? {
        let keys = RegistryKeys(registry: registry, repository: repository)
        for place in places.places {
            guard let file = try read(place), let answer = try file.answer(for: keys) else {
                continue
            }
            switch answer {
            case .credential(let credential): return credential
            case .helper(let name, let fallback):
                if let found = try await ask(name, keys, namedBy: file.place) { return found }
                if let fallback { return fallback }
            }
        }
        return nil
    }

    private func ask(
        _ name: String, _ keys: RegistryKeys, namedBy place: String
    ) async throws(CredentialError) -> Credential? {
        let helper = try CredentialHelper(name, namedBy: place, environment: places.environment)
        let key = name + " " + keys.key
        if let known = answers.withLock({ $0[key] }) { return known }
        var found: Credential?
        for server in keys.serverAddresses where found == nil {
            found = try await helper.get(server)
        }
        answers.withLock { $0[key] = .some(found) }
        return found
    }

    /// What a place holds; nil where there is nothing.
    private func read(_ place: CredentialPlaces.Place) throws(CredentialError) -> ConfigFile? {
        switch place {
        case .variable(let name, let json): try ConfigFile(Array(json.utf8), place: name)
        case .file(let path): try file(path)
        }
    }

    func file(_ path: String) throws(CredentialError) -> ConfigFile? {
        let shown = places.nameForMessages(of: path)
        let bytes: [UInt8]
        do throws(Errno) {
            bytes = try Self.content(of: path)
        } catch {
            switch error {
            case .noSuchFileOrDirectory, .notDirectory: return nil
            case .fileTooLarge:
                throw CredentialError(shown, .tooLarge(limit: ConfigFile.maximumBytes))
            default: throw CredentialError(shown, .system(operation: "read", error))
            }
        }
        return try ConfigFile(bytes, place: shown)
    }

    private static func content(of path: String) throws(Errno) -> [UInt8] {
        do throws(Errno) { return try read(path) } catch {
            // A Kubernetes secret that is mounted on the file's name is a directory with its keys.
            guard error == .isDirectory else { throw error }
            return try read(path + "/.dockerconfigjson")
        }
    }

    private static func read(_ path: String) throws(Errno) -> [UInt8] {
        let file = try FileDescriptor.workingDirectory.open(path, .readOnly, resolve: .system)
        return try file.borrowed.readAll(limit: ConfigFile.maximumBytes)
    }
}
