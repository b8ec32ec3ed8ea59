import TestSupport
import Testing

@Suite(.enabled(if: TestHost.allowsSandboxes, "no subordinate ids, or judges are missing"))
struct `The layer of a RUN` {
    @Test func `holds the file and its directories, and nothing else`() throws {
        let built = try build(
            """
            FROM \(Bases.busybox())
            RUN mkdir -p /srv/a && echo hello > /srv/a/file
            """)
        let layer = try #require(built.newLayers.first)
        #expect(built.newLayers.count == 1)
        #expect(
            layer.summary == [
                "srv directory 755 0:0", "srv/a directory 755 0:0", "srv/a/file file 644 0:0",
            ])
        #expect(layer.entry("srv/a/file")?.content == "hello%0A")
    }

    @Test func `is not there when the RUN changed nothing`() throws {
        let built = try build(
            """
            FROM \(Bases.busybox())
            RUN true
            """)
        #expect(built.newLayers.isEmpty)
        #expect(built.image.image.history?.last?.isEmpty == true)
    }
}
