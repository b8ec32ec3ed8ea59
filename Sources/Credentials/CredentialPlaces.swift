import Glibc
import Linux
import OCI

/// Where this user's credentials may be, as the environment says.
///
/// What a variable names comes before what lies in a default place, and the containers tools' default places before Docker's;
/// `DOCKER_CONFIG` stands in for `~/.docker`. The first place with an entry for the repository answers. In order:
///
/// 1. `DOCKER_AUTH_CONFIG`: the JSON itself, as GitLab and Docker's own client take it
/// 2. `REGISTRY_AUTH_FILE`
/// 3. `$DOCKER_CONFIG/config.json`
/// 4. `$XDG_RUNTIME_DIR/containers/auth.json`
/// 5. `$XDG_CONFIG_HOME/containers/auth.json`, that is `~/.config/containers/auth.json`
/// 6. `~/.docker/config.json`, where `DOCKER_CONFIG` is not set
///
/// containers-auth.json(5), "DESCRIPTION".
public struct CredentialPlaces: Sendable {
    enum Place: Sendable, Equatable {
        case variable(String, json: String)
        case file(String)
    }

    /// In the order in which they are asked.
    let places: [Place]
    /// Where `login` writes: `REGISTRY_AUTH_FILE` where it is set, else Docker's file.
    let primary: String?
    let environment: [String: String]
    let home: String?

    public init(environment: [String: String], home: String? = nil) {
        func value(_ name: String) -> String? {
            environment[name].flatMap { $0.isEmpty ? nil : $0 }
        }
        let home = home ?? value("HOME")
        var places: [Place] = []
        if let json = value("DOCKER_AUTH_CONFIG") {
            places.append(.variable("DOCKER_AUTH_CONFIG", json: json))
        }
        let registryFile = value("REGISTRY_AUTH_FILE")
        if let registryFile { places.append(.file(registryFile)) }
        let dockerDirectory = value("DOCKER_CONFIG")
        if let dockerDirectory { places.append(.file(dockerDirectory + "/config.json")) }
        if let runtime = value("XDG_RUNTIME_DIR") {
            places.append(.file(runtime + "/containers/auth.json"))
        }
        if let config = value("XDG_CONFIG_HOME") ?? home.map({ $0 + "/.config" }) {
            places.append(.file(config + "/containers/auth.json"))
        }
        if let home, dockerDirectory == nil { places.append(.file(home + "/.docker/config.json")) }
        self.places = places
        self.home = home
        self.environment = environment
        primary =
            registryFile ?? dockerDirectory.map { $0 + "/config.json" }
            ?? home.map { $0 + "/.docker/config.json" }
    }

    /// Those of this process.
    public static var ofProcess: CredentialPlaces {
        let environment = processEnvironment()
        let entry = environment["HOME"] == nil ? getpwuid(getuid()) : nil
        return CredentialPlaces(
            environment: environment, home: entry.map { String(cString: $0.pointee.pw_dir) })
    }

    /// A path as people write it: `~/.docker/config.json`
    func nameForMessages(of path: String) -> String {
        guard let home, home.count > 1, path.hasPrefix(home + "/") else {
            return Harmless.text(path, limit: 300)
        }
        return Harmless.text("~" + path.dropFirst(home.count), limit: 300)
    }
}
