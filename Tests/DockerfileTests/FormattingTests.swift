import Testing

@testable import Dockerfile

@Suite struct `The history of an image` {
    @Test func `names a RUN with its shell and build arguments`() {
        let command = ["/bin/sh", "-c", "apt-get update"]
        #expect(CreatedBy.run(command) == "RUN /bin/sh -c apt-get update")
        let arguments = [(name: "A", value: "1"), (name: "B", value: ""), (name: "A", value: "2")]
        #expect(
            CreatedBy.run(command, buildArguments: arguments)
                == "RUN |2 A=2 B= /bin/sh -c apt-get update")
    }

    @Test func `names COPY and ADD with the flags that matter`() {
        #expect(CreatedBy.copy(paths: ["a", "b"], destination: "/c") == "COPY a b /c")
        let full = CreatedBy.copy(
            isAdd: true, keepsParents: true, owner: "1:1", mode: "755", paths: ["a"],
            heredocs: ["EOF"], destination: "d/")
        #expect(full == "ADD --parents --chown=1:1 --chmod=755 a <<EOF d/")
    }

    @Test func `prints lists as Go does`() {
        #expect(
            CreatedBy.cmd(["nginx", "-g", "daemon off;"]) == #"CMD ["nginx" "-g" "daemon off;"]"#)
        #expect(CreatedBy.cmd([]) == "CMD []")
        #expect(
            CreatedBy.entrypoint(["a\"\\\n\u{1}é\u{200B}"]) == #"ENTRYPOINT ["a\"\\\n\x01é\u200b"]"#
        )
        #expect(CreatedBy.expose(["80/tcp", "53/udp"]) == "EXPOSE [80/tcp 53/udp]")
        #expect(CreatedBy.volume(["/a", "/b"]) == "VOLUME [/a /b]")
        #expect(CreatedBy.shell(["/bin/bash", "-c"]) == "SHELL [/bin/bash -c]")
    }

    @Test func `prints pairs in their order`() {
        #expect(CreatedBy.env([("B", "2"), ("A", "x y")]) == "ENV B=2 A=x y")
        #expect(CreatedBy.label([("a", "b")]) == "LABEL a=b")
        #expect(CreatedBy.arg([("A", "1"), ("B", nil)]) == "ARG A=1 B")
    }

    @Test func `prints a health check with its durations`() {
        var check = Healthcheck()
        let place = SourcePosition(line: 1, column: 1)
        check.command = .shell(Word("curl x", range: SourceRange(place, place)))
        check.interval = 90_000_000_000
        check.timeout = 1_500_000_000
        check.retries = 3
        #expect(
            CreatedBy.healthcheck(check)
                == "HEALTHCHECK {Test:[CMD-SHELL curl x] Interval:1m30s Timeout:1.5s "
                + "StartPeriod:0s StartInterval:0s Retries:3}")
    }
}

@Suite struct `A duration` {
    @Test(
        arguments: [
            ("0", 0), ("5s", 5_000_000_000), ("1m30s", 90_000_000_000), ("1.5h", 5_400_000_000_000),
            ("-2ms", -2_000_000), ("+3us", 3_000), ("3µs", 3_000), (".5s", 500_000_000),
            ("1.s", 1_000_000_000),
            ("100ns", 100), ("1h1m1s1ms", 3_661_001_000_000), ("0.1s", 100_000_000),
            ("0.3s", 300_000_000),
            ("9223372036854775807ns", Int64.max), ("-9223372036854775808ns", Int64.min),
        ] as [(String, Int64)])
    func `is read as Go does`(text: String, nanoseconds: Int64) {
        #expect(GoDuration.parse(text) == nanoseconds)
    }

    @Test(arguments: [
        "", "5", "s", ".", ".s", "5x", "5 s", "-", "1h1", "9223372036854775808ns", "3000000h", "５s",
    ])
    func `is refused`(text: String) { #expect(GoDuration.parse(text) == nil) }

    @Test(
        arguments: [
            (0, "0s"), (1, "1ns"), (1_500, "1.5µs"), (2_000_000, "2ms"), (1_000_000_000, "1s"),
            (60_000_000_000, "1m0s"), (3_600_000_000_000, "1h0m0s"), (-1_500_000_000, "-1.5s"),
        ] as [(Int64, String)])
    func `is printed as Go does`(nanoseconds: Int64, text: String) {
        #expect(GoDuration.format(nanoseconds) == text)
    }
}

@Suite struct `An exposed port` {
    @Test(
        arguments: [
            ("80", ["80/tcp"]), ("80/UDP", ["80/udp"]),
            ("8000-8002", ["8000/tcp", "8001/tcp", "8002/tcp"]),
            ("7/sctp", ["7/sctp"]), ("80/", ["80/tcp"]), ("8080:80", ["80/tcp"]),
            ("127.0.0.1:1:80", ["80/tcp"]),
            ("[::1]:1:80", ["80/tcp"]), ("0", ["0/tcp"]),
        ] as [(String, [String])])
    func `has a number and a transport`(word: String, ports: [String]) {
        #expect(ExposedPort.parse(word) == ports)
    }

    @Test(arguments: [
        "", "/tcp", "a", "80/x", "65536", "9-8", "-1", "80-", "+80", "1.2.3:1:80", "1-2:80-82",
    ])
    func `is refused`(word: String) { #expect(ExposedPort.parse(word) == nil) }
}

@Suite struct `A stop signal` {
    @Test(arguments: ["SIGTERM", "term", "9", "SIGRTMIN+3", "RTMAX-14", "QUIT"])
    func `is a name or a number`(word: String) { #expect(StopSignal.isValid(word)) }

    @Test(arguments: ["", "0", "65", "-9", "SIGFOO", "RTMIN+16", "SIG"])
    func `is refused`(word: String) { #expect(!StopSignal.isValid(word)) }
}

@Suite struct `A check comment` {
    private func check(_ comment: String) throws -> CheckOptions? {
        let text = "# x\nFROM a\n# \(comment)\nRUN b\n"
        let file = try DockerfileDocument.parse(Array(text.utf8), file: "Dockerfile")
        return file.stages[0].instructions[0].check
    }

    @Test func `chooses the rules of the next instruction`() throws {
        let options = try #require(try check("check=skip=A,B;experimental=all;error=true"))
        #expect(options.skipped == ["A", "B"] && options.allExperimental && options.isError)
        #expect(try check("check = skip=all")?.skipsAll == true)
    }

    @Test(arguments: ["skip=all", "check", "check=none", "checks=skip=all"])
    func `is just a comment otherwise`(comment: String) throws {
        #expect(try check(comment) == nil)
    }
}
