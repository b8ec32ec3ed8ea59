import ArgumentParser
import Build
import Linux
import OCI
import Testing

@testable import lichen

/// What `lichen build WORDS .` asks the engine for.
private func request(_ words: [String], environment: [String: String] = [:]) throws -> BuildRequest
{
    try BuildCommand.parse(words + ["."]).options.request(environment: environment)
}

/// One row: what is typed, and the one thing in the request that changes.
struct OptionRow: Sendable, CustomTestStringConvertible {
    var words: [String]
    var environment: [String: String] = [:]
    var holds: @Sendable (BuildRequest) -> Bool

    init(
        _ words: String..., environment: [String: String] = [:],
        _ holds: @escaping @Sendable (BuildRequest) -> Bool
    ) {
        self.words = words
        self.environment = environment
        self.holds = holds
    }

    var testDescription: String { words.joined(separator: " ") }
}

private let rows: [OptionRow] = [
    OptionRow("-f", "x/Dockerfile.dev") { $0.dockerfile == "x/Dockerfile.dev" },
    OptionRow("--file", "d") { $0.dockerfile == "d" },
    OptionRow("--file=d") { $0.dockerfile == "d" },
    OptionRow("-t", "app") { $0.tags.map(\.description) == ["docker.io/library/app:latest"] },
    OptionRow("--tag", "h:5/a:1", "-t", "b") {
        $0.tags.map(\.familiar) == ["h:5/a:1", "b:latest"]
    },
    OptionRow("-t", "a", "-t", "a:latest") { $0.tags.count == 1 },
    OptionRow("-t", "a", "--push") { $0.pushes },
    OptionRow("-o", "out") {
        $0.outputs == [ImageOutput(kind: .local, destination: .path("out"), isTar: false)]
    },
    OptionRow("-o", "-") {
        $0.outputs == [ImageOutput(kind: .tar, destination: .standardOutput, isTar: true)]
    },
    OptionRow("-o", "type=oci,dest=a", "--output", "type=tar,dest=b") { $0.outputs.count == 2 },
    OptionRow("--build-arg", "A=b=c") { $0.buildArguments == ["A": "b=c"] },
    OptionRow("--build-arg", "A=") { $0.buildArguments == ["A": ""] },
    OptionRow("--build-arg", "A=1", "--build-arg", "A=2") { $0.buildArguments == ["A": "2"] },
    OptionRow("--build-arg", "A", environment: ["A": "e"]) { $0.buildArguments == ["A": "e"] },
    OptionRow("--build-arg", "A") { $0.buildArguments.isEmpty },
    OptionRow("--target", "test") { $0.target == "test" },
    OptionRow("--platform", "linux/arm64/v8") {
        $0.platforms == [Platform(os: "linux", architecture: "arm64")]
    },
    OptionRow("--platform", "linux/s390x,linux/arm/v6,linux/aarch64,linux/arm64/v8,s390x") {
        $0.platforms.map(\.description) == ["linux/s390x", "linux/arm/v6", "linux/arm64"]
    },
    OptionRow("--label", "a=b", "--label", "c") { $0.labels == ["a": "b", "c": ""] },
    OptionRow("--pull", "never") { $0.pull == .never },
    OptionRow("--pull=missing") { $0.pull == .missing },
    OptionRow("--no-cache") { !$0.usesCache },
    OptionRow("--network", "none") { $0.network == .none },
    OptionRow("--allow", "security.insecure") { $0.allowances == [.insecure] },
    OptionRow("--network", "private") { $0.network == .private },
    OptionRow("--network", "private", "--allow", "metadata") { $0.allowances == [.metadata] },
    OptionRow("--allow", "metadata") { $0.allowances == [.metadata] },
    OptionRow("--isolation", "chroot") { $0.isolation == .chroot },
    OptionRow("--snapshotter", "copy") { $0.snapshotter == .copy },
    OptionRow("--ids", "single") { $0.ids == .single },
    OptionRow("--secret", "id=a,src=/b", "--secret=id=c,env=D") {
        $0.secrets == ["a": .file("/b"), "c": .environment("D")]
    },
    OptionRow("--ssh", "default=/run/agent") { $0.agents == ["default": "/run/agent"] },
    OptionRow("--memory", "512m") { $0.limits.memory == 512 << 20 },
    OptionRow("--memory=2GiB") { $0.limits.memory == 2 << 30 },
    OptionRow("--memory=6291456") { $0.limits.memory == 6 << 20 },
    OptionRow("--cpus", "1.5") { $0.limits.processorShare == 1500 },
    OptionRow("--pids", "100") { $0.limits.processes == 100 },
    OptionRow("--shm-size", "1g") { $0.limits.sharedMemory == 1 << 30 },
    OptionRow("--ulimit", "nofile=1024:2048", "--ulimit=core=-1", "--ulimit", "as=7") {
        $0.limits.resources == [
            StepLimits.Resource(.nofile, soft: 1024, hard: 2048),
            StepLimits.Resource(.core, soft: .max, hard: .max),
            StepLimits.Resource(.addressSpace, soft: 7, hard: 7),
        ] && $0.limits.words.first == "as=7:7"
    },
    OptionRow("--jobs", "3") { $0.jobs == 3 },
    OptionRow("--build-context", "debian:latest=docker-image://alpine", "--build-context=b=d") {
        let alpine = try? Reference(parsing: "alpine")
        return $0.namedContexts == ["debian": .image(alpine!), "b": .directory("d")]
    },
    OptionRow("--compression", "zstd") { $0.layerEncoding == LayerEncoding(.zstd, level: 3) },
    OptionRow("--compression-level", "9") { $0.layerEncoding == LayerEncoding(.gzip, level: 9) },
    OptionRow("--compression=zstd", "--compression-level=19") {
        $0.layerEncoding == LayerEncoding(.zstd, level: 19)
    },
    OptionRow("--plain-http", "h:5000", "--plain-http", "i") {
        $0.plainHTTPRegistries == ["h:5000", "i"]
    },
    OptionRow("--insecure-registry", "h:5000", "--insecure-registry=i") {
        $0.insecureRegistries == ["h:5000", "i"]
    },
]

@Suite struct `Options of build` {
    @Test(arguments: rows) func `change the request`(row: OptionRow) throws {
        #expect(row.holds(try request(row.words, environment: row.environment)))
        let plain = try request([])
        // A name that the environment does not have is the one row that changes nothing.
        if row.words != ["--build-arg", "A"] { #expect(!row.holds(plain)) }
    }

    @Test func `have the defaults of Docker`() throws {
        let request = try request([])
        #expect(request.context == .directory("."))
        #expect(request.dockerfile == nil && request.target == nil && request.jobs == nil)
        #expect(request.tags.isEmpty && !request.pushes && request.outputs.isEmpty)
        #expect(request.platforms == [.host] && request.pull == .always && request.usesCache)
        #expect(request.network == .host && request.isolation == .auto)
        #expect(request.sourceDateEpoch == nil && request.limits == .none)
    }

    @Test func `take SOURCE_DATE_EPOCH from the environment, or from a build argument`() throws {
        let environment = ["SOURCE_DATE_EPOCH": "17"]
        #expect(try request([], environment: environment).sourceDateEpoch == 17)
        let words = ["--build-arg", "SOURCE_DATE_EPOCH=18"]
        #expect(try request(words, environment: environment).sourceDateEpoch == 18)
        #expect(try request([], environment: ["SOURCE_DATE_EPOCH": ""]).sourceDateEpoch == nil)
        #expect(throws: (any Error).self) {
            try request([], environment: ["SOURCE_DATE_EPOCH": "today"])
        }
    }

    @Test(arguments: [
        ["--memory", "1m"], ["--memory", "-1"], ["--memory", "1x"], ["--memory", ""],
        ["--memory", "99999999t"], ["--cpus", "0"], ["--cpus", "nan"], ["--cpus", "1e3"],
        ["--pids", "0"], ["--pids", "many"], ["--shm-size", "0"], ["--shm-size", "bib"],
        ["--ulimit", "nofile"], ["--ulimit", "files=1"], ["--ulimit", "rss=1"],
        ["--ulimit", "nofile=2:1"], ["--ulimit", "nofile=1:2:3"], ["--ulimit", "nofile="],
        ["--ulimit", "nofile=-1:5"], ["--ulimit", "core=0", "--ulimit", "core=1"],
        ["--frobnicate"], ["-t", "UPPER"], ["-t", ""], ["-t", "a@sha256:00"], ["--push"],
        ["-o", "-", "-o", "type=oci,dest=-"], ["-o", "type=oci,dest=a", "-o", "type=tar,dest=a"],
        ["--platform", "linux/amd64,"], ["--platform", ","], ["--platform", "toaster"],
        ["--platform", "amd64,arm64", "-o", "type=docker,dest=a"], ["--pull", "maybe"],
        ["--pull"], ["--network", "bridge"], ["--allow", "meta"],
        ["--allow", "network.host"], ["--network", "none", "--allow", "metadata"],
        ["--isolation", "vm"],
        ["--progress", "tty"],
        ["-q", "-v"], ["-q", "--progress", "plain"], ["--jobs", "0"], ["--jobs", "many"],
        ["--build-arg", "=x"], ["--label", "=x"], ["--plain-http", "http://h"],
        ["--insecure-registry", "https://h"], ["--insecure-registry", ""],
        ["-f", ""], ["-f", "a", "--file", "b"], ["--allow", "everything"], ["--target", ""],
        ["--root", ""], ["--scratch", ""], ["--iidfile", ""],
        ["--metadata-file", ""], ["extra"], ["--cache-from", "x"],
        ["--build-context", "a"], ["--build-context", "a=x", "--build-context", "a:latest=y"],
        ["--compression", "xz"], ["--compression-level", "0"], ["--compression-level", "13"],
        ["--compression", "zstd", "--compression-level", "20"], ["--secret", "src=a"],
        ["--secret", "id=a,src=b,env=c"], ["--secret", "id=a,mode=1"], ["--ssh", "=x"],
        ["--ssh", "a"], ["--require", "usernss"], ["--require", ""],
    ]) func `are refused as usage errors where they make no sense`(words: [String]) {
        let error = #expect(throws: (any Error).self) {
            try BuildCommand.parse(words + ["."]).options.request(environment: [:])
        }
        if let error { #expect(Lichen.exitCode(for: error).rawValue == ExitStatus.usage.rawValue) }
    }

    @Test(arguments: [
        "https://example.org/a.git#main:docs", "git@example.org:a.git", "git://example.org/a",
        "ssh://git@example.org/a", "http://example.org/a.tar.gz?x=y",
    ]) func `take a context of the network`(word: String) throws {
        let request = try BuildCommand.parse(["--", word]).options.request(environment: [:])
        #expect(request.context == .remote(try #require(try RemoteContext(word))))
    }

    @Test func `take standard input for the context or for the Dockerfile`() throws {
        let request = try BuildCommand.parse(["-"]).options.request(environment: [:])
        #expect(request.context == .standardInput)
        #expect(throws: (any Error).self) { try BuildCommand.parse(["-f", "-", "-"]) }
        #expect(throws: (any Error).self) { try PlanCommand.parse(["-f", "-", "-"]) }
    }

    @Test(arguments: [
        "", "file:///a.git", "oci-layout://a", "https://u:p@example.org/a.tar",
        "https://u:p@example.org/a.git", "git@example.org:a.git#-x", "https://",
    ]) func `take no other context`(word: String) {
        #expect(throws: (any Error).self) { try BuildCommand.parse(["--", word]) }
        #expect(throws: (any Error).self) { try PlanCommand.parse(["--", word]) }
    }

    @Test(arguments: ["-", "", "https://example.org/a.git", "git@example.org:a.git"])
    func `check a directory alone`(word: String) {
        #expect(throws: (any Error).self) { try LintCommand.parse(["--", word]) }
    }

    @Test func `are all in the tests above`() throws {
        // Their effect is not in the request: ProgressOptionsTests and StoreOptionsTests have them, and the end-to-end tests;
        // DoctorTests have what is required.
        let elsewhere: Set = [
            "progress", "quiet", "verbose", "root", "scratch", "iidfile", "metadata-file", "help",
            "version", "require",
        ]
        let tested = Set(rows.flatMap(\.words).filter { $0.hasPrefix("-") }.map(Self.bareName))
        for names in try HelpDump.optionNames(of: BuildCommand.self) {
            #expect(
                names.contains { tested.contains($0) || elsewhere.contains($0) },
                "\(names) has no test")
        }
    }

    private static func bareName(_ word: String) -> String {
        String(word.drop { $0 == "-" }.prefix { $0 != "=" })
    }
}
