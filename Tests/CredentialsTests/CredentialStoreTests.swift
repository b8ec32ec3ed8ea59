import TestSupport
import Testing

@testable import Credentials

@Suite struct `The credentials of a user` {
    let directory: TemporaryDirectory

    init() throws { directory = try TemporaryDirectory() }

    /// A file with a password of `user` for `r.example`.
    private func file(_ path: String, _ user: String, _ registry: String = "r.example") throws {
        let json = #"{"auths":{"\#(registry)":{"username":"\#(user)","password":"secret"}}}"#
        try directory.makeParents(of: path)
        try directory.write(path, json.utf8)
    }

    private func store(_ environment: [String: String] = [:]) -> CredentialStore {
        let expanded = environment.mapValues { $0.replacing("DIR", with: directory.path) }
        return CredentialStore(CredentialPlaces(environment: expanded, home: directory.path))
    }

    private func who(_ environment: [String: String]) async throws -> String? {
        let found = try await store(environment).credential(registry: "r.example", repository: "a")
        guard case .password(let user, _)? = found?.kind else { return nil }
        return "\(user) of \(found?.source ?? "")"
    }

    @Test func `are looked for where the environment says, the nearest place first`() async throws {
        #expect(try await who([:]) == nil)
        try file(".docker/config.json", "docker")
        #expect(try await who([:]) == "docker of ~/.docker/config.json")
        try file(".config/containers/auth.json", "config")
        #expect(try await who([:]) == "config of ~/.config/containers/auth.json")
        try file("xdg/containers/auth.json", "xdg")
        var environment = ["XDG_CONFIG_HOME": "DIR/xdg"]
        #expect(try await who(environment) == "xdg of ~/xdg/containers/auth.json")
        try file("run/containers/auth.json", "run")
        environment["XDG_RUNTIME_DIR"] = "DIR/run"
        #expect(try await who(environment) == "run of ~/run/containers/auth.json")
        try file("other/config.json", "other")
        environment["DOCKER_CONFIG"] = "DIR/other"
        #expect(try await who(environment) == "other of ~/other/config.json")
        try file("registry.json", "registry")
        environment["REGISTRY_AUTH_FILE"] = "DIR/registry.json"
        #expect(try await who(environment) == "registry of ~/registry.json")
        environment["DOCKER_AUTH_CONFIG"] =
            #"{"auths":{"r.example":{"username":"ci","password":"x"}}}"#
        #expect(try await who(environment) == "ci of DOCKER_AUTH_CONFIG")
    }

    @Test func `of Docker's default place count only where DOCKER_CONFIG names no other`()
        async throws
    {
        try file(".docker/config.json", "docker")
        #expect(try await who(["DOCKER_CONFIG": "DIR/none"]) == nil)
    }

    @Test func `of a further place count where a nearer one has nothing for the registry`()
        async throws
    {
        try file(".docker/config.json", "docker")
        try file("registry.json", "other", "other.example")
        let environment = ["REGISTRY_AUTH_FILE": "DIR/registry.json", "DOCKER_AUTH_CONFIG": "{}"]
        #expect(try await who(environment) == "docker of ~/.docker/config.json")
    }

    @Test func `in a secret that is mounted on the file's name are found`() async throws {
        try file(".docker/config.json/.dockerconfigjson", "kube")
        #expect(try await who([:]) == "kube of ~/.docker/config.json")
    }

    @Test func `that cannot be read are an error`() async throws {
        try file(".docker/config.json/.dockerconfigjson/x", "kube")
        let error = await #expect(throws: CredentialError.self) { try await who([:]) }
        #expect(error?.description == "read ~/.docker/config.json: is a directory")
        let json = await #expect(throws: CredentialError.self) {
            try await who(["DOCKER_AUTH_CONFIG": "{\"auths\":{secret"])
        }
        #expect(json?.description == "DOCKER_AUTH_CONFIG is not JSON (at byte 10)")
    }
}

extension TemporaryDirectory {
    func makeParents(of name: String) throws {
        let parents = name.split(separator: "/").dropLast().joined(separator: "/")
        _ = try Program.output(["/bin/mkdir", "-p", path(parents)])
    }
}
