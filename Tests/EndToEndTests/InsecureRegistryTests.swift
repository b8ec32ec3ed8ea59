import FoundationEssentials
import TestSupport
import Testing

@Suite(.enabled(if: TestHost.allowsSandboxes, needsJudges))
struct `A registry with a certificate of an unknown authority` {
    @Test func `is spoken to where it is named as insecure, and only then`() throws {
        let (theirs, ours) = (try CertificateAuthority(), try CertificateAuthority(name: "ours"))
        let (registry, files) = try LocalRegistry.withPasswords(
            ["me": "right"], theirs.issue("server"))
        defer { withExtendedLifetime(files) {} }
        let lichen = try LichenProgram()
        // Loopback speaks plain HTTP where nothing is set for it.
        let trusted = "\(lichen.home)/.config/containers/certs.d/\(registry.host)"
        try FileManager.default.createDirectory(
            atPath: trusted, withIntermediateDirectories: true)
        try FileManager.default.copyItem(
            atPath: ours.certificate, toPath: trusted + "/ca.crt")
        let folder = try BuildFolder(
            "FROM scratch\nCOPY Dockerfile /\n", ["password": "right"])
        let image = "\(registry.host)/a/b:1"
        try lichen.build(folder, ["-t", image]).run().required()
        var login = ["login", registry.host, "-u", "me", "--password-stdin"]
        let commands = [
            ["push", image], ["pull", image],
            ["build", "--progress", "plain", "-t", image, "--push", folder.path],
        ]
        for command in [login] + commands {
            let refused = try run(lichen, folder, command)
            #expect(refused.status == 69, "\(refused)")
            #expect(refused.error.contains(registry.host), "\(refused)")
        }
        login += ["--insecure-registry", registry.host]
        try run(lichen, folder, login).required()
        for command in commands {
            try run(lichen, folder, command + ["--insecure-registry", registry.host]).required()
            let other = try run(lichen, folder, command + ["--insecure-registry", "other.example"])
            #expect(other.status == 69, "\(other)")
        }
    }

    private func run(_ lichen: LichenProgram, _ folder: BuildFolder, _ words: [String]) throws
        -> Command.Outcome
    {
        var command = lichen.command(words)
        if words[0] == "login" { command.input = folder.path + "/password" }
        return try command.run()
    }
}
