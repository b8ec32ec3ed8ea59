import HTTP
import Testing

@Suite struct `A URL` {
    @Test func `has its parts`() throws {
        let url = try #require(HTTPURL("HTTPS://Example.com/a/b?c=d#e"))
        #expect(url.scheme == "https" && url.host == "example.com" && url.port == 443)
        #expect(url.path == "/a/b" && url.query == "c=d")
        #expect(url.description == "https://example.com/a/b?c=d")
        #expect(url.origin == "https://example.com:443")
    }

    @Test(arguments: [
        "", "example.com/x", "ftp://example.com/", "file:///etc/passwd", "http://",
        "http://user:secret@example.com/", "http://example.com:99999/", "http://a\nb/",
        "javascript:alert(1)",
    ])
    func `is refused where it is not plain http`(text: String) {
        #expect(HTTPURL(text) == nil)
    }

    @Test(arguments: [
        ("/x", "http://a:1/x"), ("x?y=z", "http://a:1/b/x?y=z"), ("https://c/d", "https://c/d"),
        ("//c/d", "http://c/d"), ("../x", "http://a:1/x"),
    ])
    func `resolves a location`(location: String, expected: String) throws {
        let base = try #require(HTTPURL("http://a:1/b/c?q"))
        #expect(base.resolving(location)?.description == expected)
    }

    @Test func `refuses a location with a password`() throws {
        #expect(try #require(HTTPURL("http://a/")).resolving("http://u:p@a/") == nil)
    }

    @Test(arguments: [
        ("http://localhost/", true), ("http://127.0.0.1:5000/", true), ("http://127.9.9.9/", true),
        ("http://[::1]:5000/", true), ("http://127.0.0.1.example.com/", false),
        ("http://128.0.0.1/", false), ("http://localhost.example.com/", false),
    ])
    func `knows this machine`(text: String, expected: Bool) throws {
        #expect(try #require(HTTPURL(text)).isLoopback == expected)
    }

    @Test func `hides its query in messages`() throws {
        let url = try #require(HTTPURL("https://a/b?X-Signature=secret"))
        #expect(url.redacted == "https://a/b?…")
        #expect(!String(reflecting: url).contains("secret"))
    }

    @Test func `encodes what is added to its query`() throws {
        let url = try #require(HTTPURL("http://a/b?x=1"))
        #expect(url.adding(query: "m", "a/b:c d").description == "http://a/b?x=1&m=a%2Fb%3Ac%20d")
    }
}

@Suite struct `Headers` {
    @Test func `are found in any case`() {
        var headers: HTTPHeaders = ["Content-Type": "a", "content-type": "b"]
        #expect(headers["CONTENT-TYPE"] == "a")
        #expect(headers.all("Content-type") == ["a", "b"])
        headers["content-Type"] = "c"
        #expect(headers.all("Content-type") == ["c"])
    }

    @Test func `print without credentials`() {
        let headers: HTTPHeaders = ["authorization": "Bearer secret", "Accept": "x"]
        #expect("\(headers)" == "authorization: …\nAccept: x")
        var dumped = ""
        dump(headers, to: &dumped)
        #expect(!dumped.contains("secret"))
    }
}
