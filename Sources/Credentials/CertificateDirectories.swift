public import HTTP
import Linux
import SystemPackage

/// Certificates by registry, where Docker and the containers tools keep them.
///
/// `certs.d/HOST[:PORT]/` has authorities in `*.crt`, and a client certificate in `NAME.cert` with its key in `NAME.key`. The first
/// directory that exists for a registry counts: those of the user before those of the system, Docker's before the others.
///
/// containers-certs.d(5); Docker, "Verify repository client with certificates".
public struct CertificateDirectories: Sendable {
    private let directories: [String]
    private let places: CredentialPlaces

    public init(_ places: CredentialPlaces) {
        let config =
            places.environment["XDG_CONFIG_HOME"].flatMap { $0.isEmpty ? nil : $0 }
            ?? places.home.map { $0 + "/.config" }
        directories =
            [
                places.home.map { $0 + "/.docker/certs.d" },
                config.map { $0 + "/containers/certs.d" },
                "/etc/docker/certs.d", "/etc/containers/certs.d",
            ].compactMap { $0 }
        self.places = places
    }

    /// What is set for `host` or `host:port`, written exactly as references write it; nil where nothing is.
    public func options(for registry: String) throws(CredentialError) -> TLSOptions? {
        // A name that leads elsewhere has no certificates.
        if registry.isEmpty || registry.hasPrefix(".") || registry.contains("/") { return nil }
        for directory in directories {
            let path = directory + "/" + registry
            if let names = try names(in: path) { return try options(path, names) }
        }
        return nil
    }

    private func names(in path: String) throws(CredentialError) -> [String]? {
        do {
            let directory = try FileDescriptor.workingDirectory.open(
                path, [.readOnly, .directory], resolve: .system)
            return try DirectoryReader().names(in: directory.borrowed)
                .map { String(decoding: $0, as: UTF8.self) }.sorted()
        } catch Errno.noSuchFileOrDirectory, Errno.notDirectory {
            return nil
        } catch {
            throw CredentialError(
                places.nameForMessages(of: path),
                .system(operation: "read", error as? Errno ?? .ioError))
        }
    }

    private func options(_ path: String, _ names: [String]) throws(CredentialError) -> TLSOptions {
        let shown = places.nameForMessages(of: path)
        var options = TLSOptions()
        options.authorityFiles = names.filter { $0.hasSuffix(".crt") }.map { path + "/" + $0 }
        for name in names where name.hasSuffix(".cert") {
            let key = name.dropLast(".cert".count) + ".key"
            guard names.contains(String(key)) else {
                throw CredentialError(shown, .certificateWithoutKey(name))
            }
            if options.clientCertificate == nil {
                options.clientCertificate = path + "/" + name
                options.clientKey = path + "/" + key
            }
        }
        for name in names where name.hasSuffix(".key") {
            guard names.contains(name.dropLast(".key".count) + ".cert") else {
                throw CredentialError(shown, .keyWithoutCertificate(name))
            }
        }
        return options
    }
}
