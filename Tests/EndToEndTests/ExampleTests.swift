import FoundationEssentials
import TestSupport
import Testing

/// The folders below examples/, built as their users build them, on bases made here.
@Suite(
    .enabled(if: TestHost.allowsSandboxes, needsJudges),
    .enabled(if: TestHost.has(["mmdebstrap"]), "mmdebstrap is missing"))
struct `The example` {
    private func build(
        _ example: String, on base: String, baseLayers: Int = 0, _ arguments: [String] = [],
        with lichen: LichenProgram
    ) throws -> Built {
        let name = try newName()
        let words = ["build", "--progress", "plain", "-t", name, "--push"]
        let outcome = try lichen.run(
            words + ["--build-arg", "BASE=\(base)"] + arguments
                + ["\(TestHost.sources)/examples/\(example)"]
        ).required()
        return try Built(name, outcome, baseLayers: baseLayers, lichen)
    }

    @Test func `go is a static binary alone, and its compiler's cache stays`() throws {
        let (lichen, base) = (try LichenProgram(), try Bases.toolchain())
        let first = try build("go", on: base, with: lichen)
        #expect(first.onlyLayer.summary == ["wordcount file 755 0:0"])
        let config = first.image.image.config
        #expect(config?.Entrypoint == ["/wordcount"])
        #expect(config?.Cmd == ["--version"])
        #expect(config?.User == "65532:65532")
        #expect(first.image.image.history?.count == 4)
        let image = try UnpackedImage(first.name)
        #expect(try image.shell("printf 'a b\\nc' | ./wordcount") == "3\n")
        #expect(try image.shell("./wordcount --version") == "wordcount development\n")

        let before = try entries(ofCache: "/var/cache/go", base, lichen)
        let second = try build("go", on: base, ["--build-arg", "VERSION=2"], with: lichen)
        #expect(
            try UnpackedImage(second.name).shell("./wordcount --version") == "wordcount 2\n")
        // The standard library is compiled once: what is left is to link.
        let all = try entries(ofCache: "/var/cache/go", base, lichen)
        #expect(before > 50 && all - before < before / 5, "\(before), then \(all)")
    }

    /// How many files a cache mount holds.
    private func entries(
        ofCache place: String, _ base: String, _ lichen: LichenProgram
    ) throws -> Int {
        let folder = try BuildFolder(
            """
            FROM \(base) AS look
            RUN --mount=type=cache,target=\(place) find \(place) -type f | wc -l > /count
            FROM scratch
            COPY --from=look /count /
            """)
        let output = try TemporaryDirectory()
        try lichen.build(folder, ["--no-cache", "-o", output.path("files")]).run().required()
        let text = String(decoding: try output.read("files/count"), as: UTF8.self)
        return try #require(Int(text.filter(\.isNumber)))
    }

    @Test func `c is a server from scratch that can tell how it is`() throws {
        let built = try build("c", on: try Bases.toolchain(), with: try LichenProgram())
        #expect(
            built.onlyLayer.summary == [
                "usr directory 755 0:0", "usr/bin directory 755 0:0",
                "usr/bin/answer file 755 0:0",
            ])
        let config = built.image.image.config
        #expect(config?.Healthcheck?.Test == ["CMD", "/usr/bin/answer", "--check"])
        #expect(config?.Entrypoint == ["/usr/bin/answer"])
        #expect(config?.Env?.contains("PORT=8080") == true)
        #expect(config?.ExposedPorts?.keys.map(\.self) == ["8080/tcp"])
        let script = """
            export PORT=\(try freePort())
            ! usr/bin/answer --check 2> /dev/null || exit 1
            usr/bin/answer & trap 'kill $!' EXIT
            for try in $(seq 2000); do
                if usr/bin/answer --check 2> /dev/null; then echo healthy; exit; fi
                sleep 0.05
            done
            """
        #expect(try UnpackedImage(built.name).shell(script) == "healthy\n")
    }

    @Test func `python is installed from its wheel, and needs no index`() throws {
        let (lichen, base) = (try LichenProgram(), try Bases.scripting())
        let wheels = "PIP_FIND_LINKS=/usr/share/python-wheels"
        let offline = ["--network", "none", "--build-arg", "PIP_NO_INDEX=1"]
        let built = try build(
            "python", on: base, baseLayers: 1, offline + ["--build-arg", wheels], with: lichen)
        let config = built.image.image.config
        #expect(config?.Entrypoint == ["wordcount"])
        #expect(config?.Env?.contains { $0.hasPrefix("PATH=/opt/app/bin:") } == true)
        let names = built.newLayers.flatMap { $0.entries.map(\.name) }
        #expect(names.contains { $0.hasSuffix("site-packages/wordcount/__init__.py") })
        #expect(!names.contains { $0.hasPrefix("wheels/") || $0.hasPrefix("src/") })
        let image = try UnpackedImage(built.name)
        #expect(try image.inside("/opt/app/bin/wordcount", input: "a b\\nc\\n") == "3\n")

        // The cache has the wheels by now: the directory of the base isn't needed.
        _ = try build("python", on: base, baseLayers: 1, offline, with: lichen)
    }

    @Test func `node reads a mounted package file`() throws {
        let built = try build(
            "node", on: try Bases.scripting(), baseLayers: 1, ["--network", "none"],
            with: try LichenProgram())
        let config = built.image.image.config
        #expect(config?.WorkingDir == "/app")
        #expect(config?.Entrypoint == ["node", "/app/main.mjs"])
        let files = try built.files(below: "app")
        #expect(files == ["app", "app/about.json", "app/count.mjs", "app/main.mjs"])
        let image = try UnpackedImage(built.name)
        #expect(try image.inside("/usr/bin/node /app/main.mjs", input: "a b\\nc") == "3\n")
        let version = try image.inside("/usr/bin/node /app/main.mjs --version", input: "")
        #expect(version == "wordcount 1.2.3\n")
    }

    @Test func `apt leaves downloads and the login out of the image`() throws {
        let secrets = try TemporaryDirectory()
        let login = "machine https://mirror.example.org login reader password not-in-the-image\n"
        try secrets.write("login", login.utf8)
        let secret = ["--secret", "id=apt-auth,src=\(secrets.path("login"))"]
        let (lichen, base) = (try LichenProgram(), try Bases.debian())
        let built = try build("apt", on: base, baseLayers: 1, secret, with: lichen)
        #expect(built.image.image.config?.Entrypoint == ["tini", "--", "greeting"])
        let image = try UnpackedImage(built.name)
        let greeting = try image.inside(
            "/usr/bin/tini -s -- /usr/local/bin/greeting all", input: "")
        #expect(greeting == "Greetings from development, to all\n")
        let names = built.newLayers.flatMap { $0.entries.map(\.name) }
        #expect(!names.contains { $0.hasPrefix("var/lib/apt/") || $0.hasSuffix(".deb") })
        #expect(try image.shell("grep -rs not-in-the-image . || echo none") == "none\n")

        let again = try build(
            "apt", on: base, baseLayers: 1, ["--no-cache"] + secret, with: lichen)
        #expect(again.outcome.error.contains("Need to get 0 B/"), "\(again.outcome.error)")
    }
}

extension UnpackedImage {
    /// What a program of the image prints, as root of a namespace, in the image's root.
    fileprivate func inside(_ command: String, input: String) throws -> String {
        try shell(
            "printf '\(input)' | env PATH=/usr/local/bin:/usr/bin:/bin unshare --map-root-user /usr/sbin/chroot . \(command)"
        )
    }
}
