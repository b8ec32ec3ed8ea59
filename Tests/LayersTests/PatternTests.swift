import Testing

@testable import Layers

@Suite struct `A pattern for a name` {
    /// The examples of Go's path.Match that concern one component.
    @Test(arguments: [
        ("abc", "abc"), ("*", "abc"), ("*c", "abc"), ("a*", "a"), ("a*", "abc"),
        ("a*b*c*d*e*", "axbxcxdxe"), ("a*b?c*x", "abxbbxdbxebxczzx"), ("ab[c]", "abc"),
        ("ab[b-d]", "abc"), ("ab[^e-g]", "abc"), ("a\\*b", "a*b"), ("a?b", "a☺b"),
        ("a[^a]b", "a☺b"), ("[a-ζ]*", "α"), ("[\\]a]", "]"), ("[\\-]", "-"), ("[x\\-]", "x"),
        ("[x\\-]", "-"), ("[\\-x]", "x"), ("*x", "xxx"), ("", ""), ("**", "a"),
    ])
    func `matches`(pattern: String, name: String) throws {
        #expect(try #require(NamePattern(pattern.utf8)).matches(name.utf8))
    }

    @Test(arguments: [
        ("*", "", true), ("*b", "abc", false), ("ab[e-g]", "abc", false),
        ("ab[^c]", "abc", false), ("a???b", "a☺b", false), ("a[^a][^a][^a]b", "a☺b", false),
        ("*ζ", "A", false), ("[x\\-]", "z", false), ("a", "ab", false), ("a?", "a", false),
        ("[b-a]", "a", false), ("a*b?c*x", "abxbbxdbxebxczzy", false),
    ])
    func `matches the whole name or not at all`(pattern: String, name: String, expected: Bool)
        throws
    {
        #expect(try #require(NamePattern(pattern.utf8)).matches(name.utf8) == expected)
    }

    @Test(arguments: [
        "[]a]", "[-]", "[x-]", "[-x]", "\\", "[a-b-c]", "[", "[^", "[^bc", "a[", "[a-",
    ])
    func `is refused`(pattern: String) { #expect(NamePattern(pattern.utf8) == nil) }

    @Test func `sees a byte that is no text as one character`() throws {
        #expect(try #require(NamePattern("a?b".utf8)).matches([0x61, 0xff, 0x62]))
        #expect(try #require(NamePattern("[^a]".utf8)).matches([0xff]))
    }

    @Test func `takes time in proportion`() throws {
        let pattern = try #require(NamePattern(String(repeating: "*a", count: 100).utf8))
        #expect(!pattern.matches(String(repeating: "a", count: 250).utf8 + Array("b".utf8)))
    }
}

@Suite struct `A change of modes` {
    @Test(
        arguments: [
            ("644", 0o755, false, 0o644), ("7777", 0, false, 0o7777), ("0", 0o777, true, 0),
            ("+x", 0o644, false, 0o755), ("a-w", 0o666, false, 0o444),
            ("u+s", 0o755, false, 0o4755),
            ("g+s", 0o755, true, 0o2755), ("+t", 0o777, true, 0o1777), ("go=", 0o777, false, 0o700),
            ("u=rwX,go=rX", 0o600, false, 0o644), ("u=rwX,go=rX", 0o700, false, 0o755),
            ("u=rwX,go=rX", 0o600, true, 0o755), ("g=u", 0o640, false, 0o660),
            ("o=g,g-w", 0o770, false, 0o757), ("ug+rw", 0o000, false, 0o660),
            ("u+x-w", 0o600, false, 0o500),
        ] as [(String, UInt16, Bool, UInt16)])
    func `is applied`(text: String, mode: UInt16, isDirectory: Bool, expected: UInt16) throws {
        #expect(
            try #require(ModeChange(text)).applied(to: mode, isDirectory: isDirectory) == expected)
    }

    @Test(arguments: ["", "8", "10000", "u", "u+q", "x", "+x,", "-1", "0x7", "u=gx", "rwx"])
    func `is refused`(text: String) { #expect(ModeChange(text) == nil) }
}
