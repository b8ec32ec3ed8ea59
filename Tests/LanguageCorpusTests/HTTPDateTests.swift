import HTTP
import Testing

@testable import Build

@Suite struct `A date of HTTP` {
    /// RFC 9110, section 5.6.7: one instant in three forms.
    @Test(arguments: [
        "Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT",
        "Sun Nov  6 08:49:37 1994",
    ])
    func `is read in each of its forms`(text: String) {
        #expect(HTTPDate(text)?.secondsSinceEpoch == 784_111_777)
    }

    @Test func `is of this century below 69`() {
        #expect(HTTPDate("Sunday, 06-Nov-11 00:00:00 GMT")?.secondsSinceEpoch == 1_320_537_600)
    }

    @Test(arguments: [
        "", "yesterday", "Sun, 06 Nov 1994", "Sun, 06 Xxx 1994 08:49:37 GMT",
        "Sun, 31 Feb 1994 08:49:37 GMT", "Sun, 06 Nov 1994 25:00:00 GMT",
        "Sun, 06 Nov 1994 08:49:37 CET", "Sun, -6 Nov 1994 08:49:37 GMT", "1994-11-06T08:49:37Z",
    ])
    func `is nothing else`(text: String) {
        #expect(HTTPDate(text) == nil)
    }
}

@Suite struct `The name of a URL's file` {
    @Test(arguments: [
        ("http://h/a", "a"), ("http://h/a/b", "b"), ("http://h/a/", "a"), ("http://h/a?b/c", "a"),
        ("http://h/a%20b", "a b"), ("http://h/a%2Fb", "b"), ("http://h/%41", "A"),
        ("http://h", ""), ("http://h/", ""), ("http://h/x/%2e%2e", ""), ("http://h/%00", ""),
        ("http://h/%zz", ""), ("http://h/%ff", ""),
    ])
    func `is the last part of its path`(url: String, name: String) throws {
        #expect(try #require(HTTPURL(url)).fileName == name)
    }
}
