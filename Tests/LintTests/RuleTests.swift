import Dockerfile
import Testing

@testable import Lint

/// A Dockerfile and what is found in it: `rule line:column`.
struct LintCase: CustomTestStringConvertible, Sendable {
    var testDescription: String
    var dockerfile: String
    var expected: [String]
    var change: @Sendable (inout LintInput) -> Void = { _ in }

    init(
        _ what: String, _ dockerfile: String, _ expected: [String] = [],
        change: @escaping @Sendable (inout LintInput) -> Void = { _ in }
    ) {
        testDescription = what
        self.dockerfile = dockerfile
        self.expected = expected
        self.change = change
    }

    func input() throws -> LintInput {
        let document = try DockerfileDocument.parse(Array(dockerfile.utf8), file: "Dockerfile")
        var input = LintInput(document, names: .simple)
        input.predefined = [
            "TARGETPLATFORM": "linux/amd64", "TARGETARCH": "amd64", "BUILDPLATFORM": "linux/amd64",
        ]
        change(&input)
        return input
    }

    func found() throws -> [String] {
        try Linter.findings(in: input()).map {
            "\($0.rule.rawValue) \($0.range.start.line):\($0.range.start.column)"
        }
    }
}

extension LintNames {
    /// Near enough to what images have.
    static let simple = LintNames(
        isReference: {
            !$0.isEmpty && !$0.hasSuffix(":") && !$0.hasPrefix(":") && $0 == $0.lowercased()
        },
        platform: { text in
            let parts = text.split(separator: "/")
            return parts.count < 2
                ? nil : LintPlatform(os: String(parts[0]), architecture: String(parts[1]))
        })
}

private let names: [LintCase] = [
    LintCase("a stage in capitals", "FROM a AS Build\n", ["StageNameCasing 1:11"]),
    LintCase("a stage in small letters", "FROM a AS build-1\n"),
    LintCase("as below FROM", "FROM a as b\n", ["FromAsCasing 1:8"]),
    LintCase("AS below from", "from a AS b\n", ["FromAsCasing 1:8"]),
    LintCase("as below from", "from a as b\n"),
    LintCase(
        "a From in mixed case has one finding", "From a as b\n", ["ConsistentInstructionCasing 1:1"]
    ),
    LintCase(
        "two stages of one name", "FROM a AS x\nFROM b AS X\n",
        ["DuplicateStageName 2:11", "StageNameCasing 2:11"]),
    LintCase("two stages of two names", "FROM a AS x\nFROM b AS y\n"),
    LintCase("a stage named scratch", "FROM a AS scratch\n", ["ReservedStageName 1:11"]),
    LintCase("a stage named context", "FROM a AS context\n", ["ReservedStageName 1:11"]),
    LintCase(
        "small letters among capitals", "FROM a\nRUN x\nrun y\n",
        ["ConsistentInstructionCasing 3:1"]),
    LintCase(
        "capitals among small letters", "from a\nrun x\nRUN y\n",
        ["ConsistentInstructionCasing 3:1"]),
    LintCase(
        "as many of each: capitals win", "FROM a\nrun x\n", ["ConsistentInstructionCasing 2:1"]),
    LintCase("mixed case", "FROM a\nRun x\n", ["ConsistentInstructionCasing 2:1"]),
    LintCase("global ARGs are not counted", "arg a=1\narg b=1\nFROM x\nRUN y\n"),
    LintCase(
        "an empty line in a continuation", "FROM a\nRUN x \\\n\n y\n", ["NoEmptyContinuation 3:1"]),
    LintCase("a comment in a continuation", "FROM a\nRUN x \\\n#\n y\n"),
]

private let bases: [LintCase] = [
    LintCase(
        "an argument that nobody declares", "FROM a:$V\n",
        ["InvalidDefaultArgInFrom 1:6", "UndefinedArgInFrom 1:6"]),
    LintCase("an argument with a default", "ARG V=1\nFROM a:$V\n"),
    LintCase(
        "an argument with a default in its use", "FROM a:${V:-1}\n", ["UndefinedArgInFrom 1:6"]),
    LintCase(
        "an argument without a default", "ARG V\nFROM a:$V\n", ["InvalidDefaultArgInFrom 2:6"]),
    LintCase(
        "an argument without a default, given", "ARG V\nFROM a:$V\n",
        ["InvalidDefaultArgInFrom 2:6"]
    ) { $0.buildArguments = ["V": "1"] },
    LintCase("a default that is a stage in capitals", "ARG B=Base\nFROM a AS base\nFROM $B\n"),
    LintCase("what every build knows", "FROM a:${TARGETARCH}\n"),
    LintCase(
        "an undeclared argument in the platform", "FROM --platform=$P a\n",
        ["UndefinedArgInFrom 1:17"]),
    LintCase(
        "the platform of the target", "FROM --platform=$TARGETPLATFORM a\n",
        ["RedundantTargetPlatform 1:17"]),
    LintCase(
        "the same in braces", "FROM --platform=${TARGETPLATFORM} a\n",
        ["RedundantTargetPlatform 1:17"]),
    LintCase("the platform of the build", "FROM --platform=$BUILDPLATFORM a\n"),
    LintCase(
        "a platform for good", "FROM --platform=linux/arm64 a AS b\n",
        ["FromPlatformFlagConstDisallowed 1:17"]),
    LintCase("a platform for good, and named so", "FROM --platform=linux/arm64 a AS build_arm64\n"),
    LintCase("a base for another platform", "FROM a\n", ["InvalidBaseImagePlatform 1:6"]) {
        $0.bases = [
            0: LintBase(
                environment: [:], hasShell: false,
                platform: LintPlatform(os: "linux", architecture: "arm64"))
        ]
    },
    LintCase("a base for this platform", "FROM a\n") {
        $0.bases = [
            0: LintBase(
                environment: [:], hasShell: false,
                platform: LintPlatform(os: "linux", architecture: "amd64"))
        ]
    },
    LintCase("a base for the platform that FROM says", "ARG P=linux/arm64\nFROM --platform=$P a\n")
    {
        $0.bases = [
            0: LintBase(
                environment: [:], hasShell: false,
                platform: LintPlatform(os: "linux", architecture: "arm64"))
        ]
    },
]

private let instructions: [LintCase] = [
    LintCase("CMD in shell form", "FROM a\nCMD run\n", ["JSONArgsRecommended 2:1"]),
    LintCase("ENTRYPOINT in shell form", "FROM a\nENTRYPOINT run\n", ["JSONArgsRecommended 2:1"]),
    LintCase("CMD in exec form", "FROM a\nCMD [\"run\"]\n"),
    LintCase("a shell that was chosen", "FROM a\nSHELL [\"bash\"]\nCMD run\n"),
    LintCase("a shell that the base chose", "FROM a\nCMD run\n") {
        $0.bases = [
            0: LintBase(
                environment: [:], hasShell: true,
                platform: LintPlatform(os: "linux", architecture: "amd64"))
        ]
    },
    LintCase(
        "a shell that the stage below chose", "FROM a AS b\nSHELL [\"bash\"]\nFROM b\nCMD run\n"),
    LintCase("MAINTAINER", "FROM a\nMAINTAINER x\n", ["MaintainerDeprecated 2:1"]),
    LintCase("a relative directory", "FROM a\nWORKDIR x\n", ["WorkdirRelativePath 2:9"]),
    LintCase("a relative directory below an absolute one", "FROM a\nWORKDIR /x\nWORKDIR y\n"),
    LintCase("an absolute one in the stage below", "FROM a AS b\nWORKDIR /x\nFROM b\nWORKDIR y\n"),
    LintCase(
        "a second relative one is the fault of the first", "FROM a\nWORKDIR x\nWORKDIR y\n",
        ["WorkdirRelativePath 2:9"]),
    LintCase("a directory from a variable", "FROM a\nENV D=/x\nWORKDIR $D/y\n"),
    LintCase(
        "two CMD", "FROM a\nCMD [\"x\"]\nCMD [\"y\"]\n", ["MultipleInstructionsDisallowed 2:1"]),
    LintCase(
        "two HEALTHCHECK", "FROM a\nHEALTHCHECK NONE\nHEALTHCHECK CMD x\n",
        ["MultipleInstructionsDisallowed 2:1"]),
    LintCase(
        "one ENTRYPOINT in each stage",
        "FROM a AS b\nENTRYPOINT [\"x\"]\nFROM b\nENTRYPOINT [\"x\"]\n"),
    LintCase("ENV with a blank", "FROM a\nENV x y\n", ["LegacyKeyValueFormat 2:1"]),
    LintCase("LABEL with a blank", "FROM a\nLABEL x y\n", ["LegacyKeyValueFormat 2:1"]),
    LintCase("ENV with =", "FROM a\nENV x=y\n"),
    LintCase("a protocol in capitals", "FROM a\nEXPOSE 80/TCP\n", ["ExposeProtoCasing 2:8"]),
    LintCase("a protocol in small letters", "FROM a\nEXPOSE 80/tcp 53/udp 81\n"),
    LintCase("a port of the host", "FROM a\nEXPOSE 80:81\n", ["ExposeInvalidFormat 2:8"]),
    LintCase("an address", "FROM a\nEXPOSE 5 127.0.0.1:80:81\n", ["ExposeInvalidFormat 2:10"]),
    LintCase(
        "text that turns around", "FROM a\nRUN echo \u{202e}x\u{2066}\n",
        ["MisleadingText 2:10", "MisleadingText 2:12"]),
    LintCase("text of no width in a comment", "# \u{200b}\nFROM a\n", ["MisleadingText 1:3"]),
    LintCase("letters of any script", "FROM a\nRUN echo \u{5d0}\u{200d}\u{e9}\n"),
]

private let secrets: [LintCase] =
    ["API_KEY", "password", "GITHUB_TOKEN", "secret_MESSAGE", "AUTH", "aws_credentials"].map {
        LintCase("the secret \($0)", "FROM a\nARG \($0)\n", ["SecretsUsedInArgOrEnv 2:5"])
    }
    + ["PUBLIC_KEY", "PASSWORD_FILE", "TOKEN_VERSION", "MONKEY", "AUTHOR"].map {
        LintCase("no secret: \($0)", "FROM a\nARG \($0)\n")
    } + [
        LintCase("a secret in ENV", "FROM a\nENV x=1 my_token=2\n", ["SecretsUsedInArgOrEnv 2:9"]),
        LintCase("a secret in a global ARG stays out of the image", "ARG TOKEN\nFROM a\n"),
    ]

private let variables: [LintCase] = [
    LintCase("a variable of nobody", "FROM scratch\nCOPY $x .\n", ["UndefinedVar 2:6"]),
    LintCase("the same on an image that is not known", "FROM a\nCOPY $x .\n", ["UndefinedVar 2:6"]),
    LintCase("what the base image sets", "FROM a\nCOPY $x .\n") {
        $0.bases = [
            0: LintBase(
                environment: ["x": "1"], hasShell: false,
                platform: LintPlatform(os: "linux", architecture: "amd64"))
        ]
    },
    LintCase("an ARG without a value", "FROM a\nARG x\nCOPY $x .\n"),
    LintCase("an ARG in a stage below", "FROM a AS b\nARG x=1\nFROM b\nCOPY $x .\n"),
    LintCase(
        "an ARG of another stage", "FROM a AS b\nARG x=1\nFROM a\nCOPY $x .\n", ["UndefinedVar 4:6"]
    ),
    LintCase(
        "a global ARG that the stage does not ask for", "ARG x=1\nFROM a\nCOPY $x .\n",
        ["UndefinedVar 3:6"]),
    LintCase("PATH is there always", "FROM a\nENV PATH=$PATH:/x\n"),
    LintCase("what the shell expands is the shell's", "FROM a\nRUN echo $x\nCMD [\"$x\"]\n"),
    LintCase("an escaped dollar", "FROM a\nENV y=\\$x\n"),
    LintCase("an instruction does not see itself", "FROM a\nENV x=1 y=$x\n", ["UndefinedVar 2:11"]),
    LintCase("one ARG sees those before", "FROM a\nARG x=1 y=$x\n"),
    LintCase("a default that is not used", "FROM a\nARG y=$x\n") { $0.buildArguments = ["y": "1"] },
    LintCase("a default", "FROM a\nARG y=$x\n", ["UndefinedVar 2:7"]),
    LintCase("a mount", "FROM a\nRUN --mount=type=cache,target=$x true\n", ["UndefinedVar 2:24"]),
    LintCase("a heredoc", "FROM a\nCOPY <<E /x\n$x\nE\n", ["UndefinedVar 2:6"]),
    LintCase("a quoted heredoc", "FROM a\nCOPY <<'E' /x\n$x\nE\n"),
    LintCase("a stage that is not built", "FROM a AS b\nCOPY $x .\nFROM a\n") { $0.stages = [1] },
]

private let ignored: [LintCase] = [
    LintCase("an ignored file", "FROM a\nCOPY ./tmp/x .\n", ["CopyIgnoredFile 2:6"]) {
        $0.ignore("tmp")
    },
    LintCase("an ignored file of ADD", "FROM a\nADD tmp .\n", ["CopyIgnoredFile 2:5"]) {
        $0.ignore("tmp")
    },
    LintCase("another file", "FROM a\nCOPY x .\n") { $0.ignore("tmp") },
    LintCase("the context, of which something stays", "FROM a\nCOPY . .\n") { $0.ignore("tmp") },
    LintCase("the context, of which nothing stays", "FROM a\nCOPY . .\n", ["CopyIgnoredFile 2:6"]) {
        $0.ignore("**")
    },
    LintCase("an exception", "FROM a\nCOPY tmp .\n") { $0.ignore("tmp\n!tmp/x") },
    LintCase("a file of a stage", "FROM a AS b\nFROM a\nCOPY --from=b tmp .\n") {
        $0.ignore("tmp")
    },
    LintCase("a URL", "FROM a\nADD https://h/tmp .\n") { $0.ignore("**") },
]

private let comments: [LintCase] = [
    LintCase("a comment that describes nothing is fine", "# hello\nARG x\nFROM a\n"),
    LintCase(
        "an experiment", "# check=experimental=all\n# hello\nARG x\nFROM a\n",
        ["InvalidDefinitionDescription 2:3"]),
    LintCase(
        "an experiment by name",
        "# check=experimental=InvalidDefinitionDescription\nFROM a\n# base it is\nFROM a AS b\n",
        ["InvalidDefinitionDescription 3:3"]),
    LintCase(
        "a description", "# check=experimental=all\n# x is it\nARG x\n# b is it\nFROM a AS b\n"),
    LintCase("a comment further up", "# check=experimental=all\n# hello\n#\nARG x\nFROM a\n"),
    LintCase("a rule that is skipped", "# check=skip=StageNameCasing,FromAsCasing\nFROM a as B\n"),
    LintCase("all rules are skipped", "# check=skip=all;error=true\nFROM a as B\nMAINTAINER x\n"),
    LintCase(
        "a rule that is skipped for one instruction",
        "FROM a\n# check=skip=UndefinedVar\nCOPY $x .\nCOPY $x .\n", ["UndefinedVar 4:6"]),
    LintCase(
        "an instruction that asks for another rule",
        "FROM a\n# check=skip=StageNameCasing\nCOPY $x .\n", ["UndefinedVar 3:6"]),
    LintCase(
        "the build argument goes before the directive", "# check=skip=all\nFROM a as b\n",
        ["FromAsCasing 2:8"]
    ) { $0.check = CheckOptions() },
]

extension LintInput {
    fileprivate mutating func ignore(_ text: String) {
        ignored = try? IgnoreFile(parsing: Array(text.utf8), file: ".dockerignore")
    }
}

/// All of them, for other suites too.
let lintCases = names + bases + instructions + secrets + variables + ignored + comments

@Suite struct `A rule` {
    @Test(arguments: lintCases) func `finds what it is about, where it stands, and nothing else`(
        example: LintCase
    ) throws {
        #expect(try example.found() == example.expected)
    }

    @Test(arguments: LintRule.allCases) func `has a case that it finds`(rule: LintRule) {
        #expect(lintCases.contains { $0.expected.contains { $0.hasPrefix(rule.rawValue + " ") } })
        #expect(!rule.summary.isEmpty)
    }

    @Test func `suggests the name that was meant`() throws {
        let example = LintCase("", "ARG VERSION=1\nFROM a:$VERSON\nENV FOOBAR=1\nCOPY $FOBAR .\n")
        let remedies = try Linter.findings(in: example.input()).map(\.remedy)
        #expect(remedies.contains("did you mean $VERSION?"))
        #expect(remedies.contains("did you mean $FOOBAR?"))
    }

    @Test func `says on one line what it found, whatever the file has`() throws {
        let example = LintCase(
            "", "FROM a AS b\nENV x=1\nCOPY \"${\u{1B}}\u{202E}$y\" .\nUSER $\u{2028}z$q\n")
        for finding in (try? Linter.findings(in: example.input())) ?? [] {
            #expect(
                !finding.line(file: "f").unicodeScalars.contains {
                    $0.value < 32 || $0.value == 0x202E
                })
        }
    }

    @Test func `is linked by BuildKit's own name for it`() {
        #expect(LintRule.jsonArgsRecommended.helpURL.hasSuffix("/json-args-recommended/"))
        #expect(LintRule.secretsUsedInArgOrEnv.helpURL.hasSuffix("/secrets-used-in-arg-or-env/"))
        #expect(LintRule.fromAsCasing.helpURL.hasSuffix("/from-as-casing/"))
    }
}
