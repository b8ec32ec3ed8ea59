import ArgumentParser
import Build
import Testing

@testable import lichen

@Suite struct `The store's path` {
    private func path(
        _ words: [String], _ environment: [String: String], home: String? = nil
    ) throws -> String {
        try StoreOptions.parse(words).path(environment: environment, home: { home })
    }

    @Test func `is that of --root, LICHEN_ROOT, XDG_DATA_HOME, HOME, in this order`() throws {
        var environment = ["LICHEN_ROOT": "/l", "XDG_DATA_HOME": "/x", "HOME": "/h"]
        #expect(try path(["--root", "r"], environment) == "r")
        #expect(try path([], environment) == "/l")
        environment["LICHEN_ROOT"] = ""
        #expect(try path([], environment) == "/x/lichen")
        environment["XDG_DATA_HOME"] = "relative"
        #expect(try path([], environment) == "/h/.local/share/lichen")
        #expect(try path([], [:], home: "/p") == "/p/.local/share/lichen")
    }

    @Test func `is an error of the host where nothing says it`() {
        let error = #expect(throws: BuildError.self) { try path([], [:]) }
        #expect(error?.category == .host)
        #expect(error?.hint?.contains("--root") == true)
    }
}

@Suite struct `The style of progress` {
    @Test(arguments: [
        ([], ProgressOptions.Style.auto), (["-q"], .quiet), (["--progress", "plain"], .plain),
        (["--progress", "quiet", "-q"], .quiet), (["-v"], .auto), (["--progress=auto"], .auto),
    ]) func `is what was asked for`(words: [String], style: ProgressOptions.Style) throws {
        #expect(try ProgressOptions.parse(words).style == style)
    }
}
