import Build
import OCI
import Testing

@testable import lichen

let firstStep = BuildEvent.Step(
    number: 2, total: 5, line: 7, stage: "build", text: "RUN make\u{1B}[2J     all")
let secondStep = BuildEvent.Step(number: 3, total: 5, line: 9, stage: "", text: "RUN true")
let someDigest = Digest(sha256: [UInt8](repeating: 0xAB, count: 32))

@Suite struct `Plain progress` {
    @Test func `shows a step with its number, output and time`() {
        var log = PlainLog()
        #expect(log.lines(for: .stepStarted(firstStep), at: 1) == ["#2 [build 2/5] RUN make all"])
        #expect(log.lines(for: .stepOutput(firstStep, Array("a\nb".utf8)), at: 2) == ["#2 a"])
        #expect(
            log.lines(for: .stepOutput(firstStep, Array("c\n\n".utf8)), at: 2) == ["#2 bc", "#2"])
        #expect(log.lines(for: .stepOutput(firstStep, Array("end".utf8)), at: 2) == [])
        let done = log.lines(for: .stepDone(firstStep, seconds: 1.25, isPacking: true), at: 2)
        #expect(done == ["#2 end", "#2 done 1.3s"])
        let packed = log.lines(for: .layerPacked(firstStep, digest: someDigest, size: 1200), at: 2)
        #expect(packed == ["#2 layer sha256:abababababab 1.2 kB"])
    }

    @Test func `tells steps that run at the same time apart`() {
        var log = PlainLog()
        _ = log.lines(for: .stepStarted(firstStep), at: 0)
        _ = log.lines(for: .stepStarted(secondStep), at: 0)
        #expect(log.lines(for: .stepOutput(firstStep, Array("half ".utf8)), at: 0) == [])
        #expect(log.lines(for: .stepOutput(secondStep, Array("x\n".utf8)), at: 0) == ["#3 x"])
        #expect(
            log.lines(for: .stepOutput(firstStep, Array("line\n".utf8)), at: 0) == ["#2 half line"])
    }

    @Test func `shows cached and failed steps`() {
        var log = PlainLog()
        #expect(
            log.lines(for: .stepCached(secondStep), at: 0) == ["#3 [3/5] RUN true", "#3 cached"])
        _ = log.lines(for: .stepStarted(firstStep), at: 0)
        _ = log.lines(for: .stepOutput(firstStep, Array("oops".utf8)), at: 0)
        #expect(
            log.lines(for: .stepFailed(firstStep), at: 90) == ["#2 oops", "#2 failed after 1m30s"])
    }

    @Test func `says which steps were stopped`() {
        var log = PlainLog()
        _ = log.lines(for: .stepStarted(firstStep), at: 0)
        _ = log.lines(for: .stepOutput(firstStep, Array("half".utf8)), at: 0)
        #expect(log.lines(for: .stepCancelled(firstStep), at: 1) == ["#2 half", "#2 stopped"])
    }

    @Test func `shows transfers with bytes, and not too often`() {
        var log = PlainLog()
        let transfer = BuildEvent.Transfer(
            direction: .download, digest: someDigest, size: 12_300_000)
        let name = "download sha256:abababababab"
        #expect(log.lines(for: .transferStarted(transfer), at: 0) == ["\(name) 12.3 MB"])
        #expect(log.lines(for: .transferProgress(transfer, bytes: 1), at: 1) == [])
        #expect(
            log.lines(for: .transferProgress(transfer, bytes: 5_000), at: 6)
                == ["\(name) 5.0 kB of 12.3 MB"])
        #expect(
            log.lines(for: .transferDone(transfer, moved: true, seconds: 8), at: 8)
                == ["\(name) 12.3 MB done 8.0s"])
        #expect(
            log.lines(for: .transferDone(transfer, moved: false, seconds: 0), at: 8)
                == ["\(name) 12.3 MB not needed, it is there"])
    }

    @Test func `says more when asked to`() {
        var log = PlainLog(isVerbose: true)
        #expect(
            log.lines(for: .stepStarted(secondStep), at: 1) == ["#3 [3/5] RUN true (line 9)"])
        #expect(
            log.lines(for: .stepOutput(secondStep, Array("x\n".utf8)), at: 3.5) == ["#3 2.5s x"])
    }

    @Test func `makes notices harmless`() {
        var log = PlainLog()
        #expect(log.lines(for: .warning("a\n\u{1B}[2Jb"), at: 0) == ["warning: a b"])
    }
}

@Suite struct `Quiet progress` {
    @Test func `shows the last lines of a step that failed, and nothing else`() {
        var failed = FailedOutput()
        #expect(failed.lines(for: .stepStarted(firstStep)) == [])
        let output = (1...100).map { "line \($0)\n" }.joined()
        #expect(failed.lines(for: .stepOutput(firstStep, Array(output.utf8))) == [])
        let lines = failed.lines(for: .stepFailed(firstStep))
        #expect(lines.count == FailedOutput.lineCount + 1)
        #expect(lines.last == "#2 line 100")
        #expect(failed.lines(for: .stepFailed(firstStep)) == [])
    }
}

@Suite struct `Amounts` {
    @Test(arguments: [
        (0, "0 B"), (999, "999 B"), (1000, "1.0 kB"), (33_040_000, "33.0 MB"),
        (999_949, "999.9 kB"), (999_960, "1.0 MB"), (-5, "0 B"), (Int64.max, "9223372.0 TB"),
    ]) func `of bytes`(bytes: Int64, text: String) { #expect(ByteCount.text(bytes) == text) }

    @Test(arguments: [
        (0, "0.0s"), (0.26, "0.3s"), (59.9, "59.9s"), (59.96, "1m00s"), (125, "2m05s"),
        (3725, "1h02m"), (-1, "0.0s"), (.nan, "0.0s"),
    ]) func `of time`(seconds: Double, text: String) { #expect(Elapsed.text(seconds) == text) }
}
