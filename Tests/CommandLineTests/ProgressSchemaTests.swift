import Build
import FoundationEssentials
import OCI
import TestSupport
import Testing

@testable import lichen

private let transfer = BuildEvent.Transfer(direction: .upload, digest: someDigest, size: 1000)

/// One of each; `isKnown` stops compiling where one is missing.
private let everyEvent: [BuildEvent] = [
    .stepStarted(firstStep), .stepOutput(firstStep, Array("a\u{9B}\"\\\n\u{0}".utf8)),
    .stepOutput(firstStep, [0xFF, 0x00]), .stepDone(firstStep, seconds: 1.25, isPacking: true),
    .layerPacked(firstStep, digest: someDigest, size: 12), .stepCached(secondStep),
    .stepStarted(secondStep), .stepFailed(secondStep), .stepStarted(firstStep),
    .stepCancelled(firstStep), .transferStarted(transfer),
    .transferProgress(transfer, bytes: 500), .transferDone(transfer, moved: true, seconds: 2),
    .notice("n"), .warning("w"),
]

private func isKnown(_ event: BuildEvent) -> Bool {
    switch event {
    case .stepStarted, .stepOutput, .stepCached, .stepDone, .layerPacked, .stepFailed,
        .stepCancelled, .transferStarted, .transferProgress, .transferDone, .notice, .warning:
        true
    }
}

@Suite struct `Progress for machines` {
    @Test func `is as docs have it, event by event`() throws {
        let schema = try ProgressSchema()
        var log = JSONLog(started: 10)
        var lines = [log.begin("build", date: 1)]
        for event in everyEvent where isKnown(event) { lines += log.lines(for: event, at: 11.5) }
        lines.append(log.end(Summary(someDigest), at: 12))
        lines.append(log.end(ErrorReport(signal: 2), at: 12))
        var summary = Summary(someDigest)
        (summary.config, summary.steps, summary.memoryBytes) = (someDigest, (5, 3), 1)
        summary.weaker = ["metadata", "idmap.range"]
        lines.append(log.end(summary, at: 12))
        let error = BuildError(.input, "m", location: "Dockerfile:3", excerpt: "e", hint: "h")
        lines.append(log.end(ErrorReport(error), at: 12))

        let seen = try Set(lines.map { try schema.line($0).event })
        #expect(seen == schema.events)
        #expect(lines.allSatisfy { !$0.contains("\n") && !$0.contains("\u{9B}") })
    }

    @Test func `has valid examples in docs`() throws {
        let schema = try ProgressSchema()
        #expect(Set(schema.examples.map(\.event)) == schema.events)
        for (event, line) in schema.examples { #expect(try schema.line(line).event == event) }
        #expect(try schema.line(schema.examples[0].line).integer("schema") == JSONLog.schema)
    }

    @Test func `has a schema that can refuse`() throws {
        let schema = try ProgressSchema()
        let wrong = [
            "#3 RUN true", "{}", #"{"event":"sneeze","time":0.1}"#,
            #"{"event":"notice","time":0.1}"#, #"{"event":"notice","time":0.1,"message":1}"#,
            #"{"event":"notice","time":0.1,"message":"m","more":true}"#,
        ]
        for line in wrong { #expect(throws: TestSupportError.self) { try schema.line(line) } }
    }

    @Test func `writes its keys in order, and times to the millisecond`() {
        var log = JSONLog(started: 10)
        let lines = log.lines(for: .transferProgress(transfer, bytes: 500), at: 11.0504)
        let head = #"{"event":"transfer-progress","time":1.050,"direction":"upload","digest":""#
        #expect(lines == [head + #"\#(someDigest)","size":1000,"bytes":500}"#])
    }

    @Test(arguments: [1, 2, 3, 7, 64])
    func `carries the exact bytes of the output`(length: Int) throws {
        let text = "plain äöü 世界 🚀 \u{1B}[31mred\u{0} "
        let bytes = Array(text.utf8) + [0xF0, 0x9F, 0x0A, 0xFF, 0xC3] + Array(text.utf8) + [0xE4]
        let schema = try ProgressSchema()
        var log = JSONLog(started: 0)
        var lines = log.lines(for: .stepStarted(firstStep), at: 0)
        for begin in stride(from: 0, to: bytes.count, by: length) {
            let piece = Array(bytes[begin..<min(begin + length, bytes.count)])
            lines += log.lines(for: .stepOutput(firstStep, piece), at: 0)
        }
        lines += log.lines(for: .stepFailed(firstStep), at: 0)
        var carried: [UInt8] = []
        var encoded = 0
        for line in try lines.map(schema.line) where line.event == "step-output" {
            let data = try #require(line.text("data"))
            let isEncoded = line.flag("base64") == true
            encoded += isEncoded ? 1 : 0
            carried += isEncoded ? Array(try #require(Data(base64Encoded: data))) : Array(data.utf8)
        }
        #expect(carried == bytes)
        // What is whole UTF-8 is text, however it was cut.
        #expect(encoded > 0 && encoded <= 5)
    }

    @Test func `is asked for by either way of writing the option`() {
        #expect(ProgressOptions.asksForJSON(["lichen", "build", "--progress", "rawjson", "--x"]))
        #expect(ProgressOptions.asksForJSON(["lichen", "build", "--progress=rawjson"]))
        #expect(
            !ProgressOptions.asksForJSON(["lichen", "build", "--progress", "plain", "rawjson"]))
    }
}
