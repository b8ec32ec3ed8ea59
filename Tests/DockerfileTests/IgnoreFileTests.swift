import Testing

@testable import Dockerfile

private func decides(_ patterns: [String], _ path: String) throws -> Bool {
    let text = patterns.joined(separator: "\n")
    return try IgnoreFile(parsing: Array(text.utf8), file: ".dockerignore").matches(
        Array(path.utf8))
}

@Suite struct `An ignore file` {
    @Test(
        arguments: [
            // Literal names, and what lies below them.
            ("docs", "docs"), ("docs", "docs/a/b"), ("docs/", "docs/a"), ("/docs", "docs"),
            ("./docs", "docs"), ("a//b", "a/b"), ("a/../b", "b"), ("  docs  ", "docs"),
            ("a.b+c(d)", "a.b+c(d)"),
            // One level.
            ("*", "a"), ("*", "a/b"), ("*.go", "x.go"), ("a/*", "a/b"), ("a/*.txt", "a/b.txt"),
            (".*", ".git"),
            ("a?c", "abc"), ("a?c", "a가c"), ("*/temp*", "x/temporary"), ("a*/b", "abc/b"),
            // Any number of levels.
            ("**", "a"), ("**", "a/b"), ("**/", "a"), ("**/**", "a/b"), ("**/x", "x"),
            ("**/x", "a/b/x"),
            ("**/x", "x/a"), ("**/x", "a/x/b"), ("**x", "ax"), ("**x", "a/bx"), ("a/**", "a/b"),
            ("a/**", "a/b/c"),
            ("a**/*.txt", "a/x.txt"), ("a**/*.txt", "a/b/c/x.txt"), ("**/a*.txt", "b/ab.txt"),
            ("**/a/**", "x/a/y/z"), ("**/a/*", "x/a/y"), ("a/**/z", "a/z"), ("a/**/z", "a/b/c/z"),
            ("a/*.txt**", "a/x.txt"),
            // Sets and escapes.
            ("a[b-d]e", "ace"), ("a[^b-d]e", "aze"), ("[a-ζ]", "β"), (#"a\*b"#, "a*b"),
            (#"a\\"#, #"a\"#),
            (#"[\]a]"#, "]"), (#"[x\-]"#, "-"), ("\\#a", "#a"), (#"\!a"#, "!a"), ("!x\n*", "x"),
        ] as [(String, String)])
    func `ignores`(pattern: String, path: String) throws {
        #expect(try decides([pattern], path))
    }

    @Test(
        arguments: [
            ("docs", "doc"), ("docs", "docsx"), ("docs", "a/docs"), ("a/b", "a"),
            ("*.go", "a/x.go"),
            ("a/*.txt", "a/b/x.txt"), (".*", "a"), ("a?c", "ac"), ("a?c", "a/c"), ("a*c", "a/c"),
            ("a/**", "a"),
            ("**/.x", "a.x"), ("a/**/z", "az"), ("a[b-d]e", "ae"), ("a[^b-d]e", "ace"),
            ("#a", "#a"),
            ("\\#a", "a"), ("**", "."), ("/", "a"), ("..", "a"), ("", "a"), ("abc.d", "abcxd"),
            ("**/x*y", "a/xb/cy"), ("!a", "a"),
        ] as [(String, String)])
    func `includes`(pattern: String, path: String) throws {
        #expect(try !decides([pattern], path))
    }

    @Test(
        arguments: [
            (["docs", "!docs/README"], "docs/README", false),
            (["docs", "!docs/README"], "docs/x", true),
            (["docs/*", "!docs/README"], "docs/README", false), (["!x.go", "*.go"], "x.go", true),
            (["*.go", "!x.go"], "x.go", false), (["**", "!a/b"], "a/b/c", false),
            (["**", "!a/b"], "a/c", true),
            (["**", "!a/b", "a/b/c"], "a/b/c", true), (["**", "!a/b", "a/b/c"], "a/b/d", false),
            (["a", "! a/b"], "a/b", false), (["a", "!/a/b"], "a/b", false),
            (["*", "!*.md", "R*.md"], "R.md", true),
            (["*", "!*.md", "R*.md"], "S.md", false),
        ] as [([String], String, Bool)])
    func `lets the last match decide`(patterns: [String], path: String, isIgnored: Bool) throws {
        #expect(try decides(patterns, path) == isIgnored)
    }

    @Test(
        arguments: [
            (["docs"], "docs", false), (["docs"], "docs/a", false), (["docs"], "src", true),
            (["docs", "!docs/a"], "docs", true), (["docs", "!docs/a"], "docs/a", true),
            (["docs", "!docs/a"], "docs/b", false), (["docs", "!other"], "docs", false),
            (["**", "!a/b/c"], "", true), (["**"], "", false), (["*"], "", true),
            (["*"], "a", false),
            (["a/**"], "a", false), (["*/**"], "a", false), (["**", "!**/*.md"], "a/b", true),
            (["**", "!*/x/*.md"], "a/x", true), (["**", "!*/x/*.md"], "a/y", false),
            ([], "a", true),
            (["!a/b", "a"], "a", false), (["*.o"], "a", true),
        ] as [([String], String, Bool)])
    func `says which directories need a look`(patterns: [String], path: String, may: Bool) throws {
        #expect(try IgnoreFile(patterns: patterns).mayInclude(below: Array(path.utf8)) == may)
    }

    @Test(arguments: ["[", "a[", "[]", "[]a]", "[-]", "[x-]", "[-x]", "[a-b-c]", "[^", #"a\"#, "!"])
    func `is refused for a malformed pattern`(pattern: String) {
        let text = Array(("# one\nok\n" + pattern + "\n").utf8)
        #expect(throws: IgnoreFileError.self) {
            try IgnoreFile(parsing: text, file: ".dockerignore")
        }
        let error = try? #require(throws: IgnoreFileError.self) {
            try IgnoreFile(parsing: text, file: ".dockerignore")
        }
        #expect(error?.description == ".dockerignore:3: malformed pattern \"\(pattern)\"")
    }

    @Test func `skips a byte-order mark, carriage returns and comments`() throws {
        let text: [UInt8] = [0xEF, 0xBB, 0xBF] + Array("#x\r\na\r\n\r\n  # b\r\n".utf8)
        let file = try IgnoreFile(parsing: text, file: "i")
        #expect(file.matches(Array("a".utf8)))
        #expect(file.matches(Array("# b".utf8)))
        #expect(!file.matches(Array("b".utf8)))
    }

    @Test func `matches names that are not UTF-8`() throws {
        let file = try IgnoreFile(patterns: ["a?b", "*.bin"])
        #expect(file.matches([0x61, 0xFF, 0x62]))
        #expect(file.matches([0xC3, 0x2E, 0x62, 0x69, 0x6E]))
        #expect(!file.matches([0x61, 0xFF, 0xFF, 0x62]))
    }

    @Test func `stays quick with many stars`() throws {
        let stars = String(repeating: "**/a*", count: 40) + "b"
        let file = try IgnoreFile(patterns: [stars])
        let path = Array(String(repeating: "a/", count: 2_000).utf8)
        #expect(!file.matches(path))
    }
}
