import Testing

@testable import Dockerfile

/// Values as the cases below see them.
private let variables = [
    "HOME": "/root", "TOOL": "bash", "EMPTY": "", "WIDE": "가나다", "ROW": "a  b",
]

private func expand(_ word: String, escape: Unicode.Scalar = "\\") throws(ExpansionError) -> String
{
    try Expander(escape: escape).expand(word) { variables[$0] }.text
}

@Suite struct `A word with variables` {
    @Test(
        arguments: [
            // Text, quotes, escapes.
            ("plain", "plain"), ("it'em's", "items"), (#"it\'s"#, "it's"), (#"a\tb"#, "atb"),
            (#""a\tb""#, #"a\tb"#), (#""a\\tb""#, #"a\tb"#), (#"'a\tb'"#, #"a\tb"#),
            (#"end\"#, "end"),
            (#"end\\"#, #"end\"#), (#"'end\'"#, #"end\"#), (#""it's""#, "it's"),
            (#"'"x"'"#, #""x""#),
            (#""""#, ""), ("가'나'다", "가나다"), (#"가\나"#, "가나"), (#""q\"q""#, #"q"q"#), ("a<b", "a<b"),
            // $name.
            ("$HOME", "/root"), ("x$HOME", "x/root"), ("x$HOME.y", "x/root.y"), ("$home", ""),
            ("x$WIDE", "x가나다"), (#"\$HOME"#, "$HOME"), (#"\\$HOME"#, #"\/root"#),
            (#""\$HOME""#, "$HOME"), (#""\\$HOME""#, #"\/root"#), ("'$HOME'", "$HOME"),
            (#""'$HOME'""#, "'/root'"), ("$.", "$."), ("a$", "a$"), ("$ a", "$ a"), ("$12x", "x"),
            ("$@x", "x"), ("$$x", "x"), ("$*", ""), ("$0", ""), ("$-", ""),
            ("$HOME$TOOL", "/rootbash"),
            // ${name}.
            ("${HOME}", "/root"), ("x${HOME}y", "x/rooty"), ("${none}y", "y"), ("${12}y", "y"),
            ("${@}y", "y"), (#"\${HOME}"#, "${HOME}"), (#"\${}"#, "${}"), ("${TOOL}}", "bash}"),
            // Defaults and alternatives.
            ("${none:-w}", "w"), ("${none-w}", "w"), ("${EMPTY:-w}", "w"), ("${EMPTY-w}", ""),
            ("${HOME:-w}", "/root"), ("${none:-}", ""), ("${none:-$HOME}", "/root"),
            ("${none:-${none:-${TOOL}}}", "bash"), ("${none:-a b}", "a b"), (#"${none:-\}}"#, "}"),
            (#"${none:-"}"}"#, "}"), (#"${none:-\${HOME}z}x"#, "${HOMEz}x"),
            ("${none:-a {b}", "a {b"),
            ("${HOME:+w}", "w"), ("${HOME+w}", "w"), ("${EMPTY:+w}", ""), ("${EMPTY+w}", "w"),
            ("${none:+w}", ""), ("${none+w}", ""), ("${HOME:+${HOME}:}x", "/root:x"),
            ("${1:-w}", "w"), ("${#:-w}", "w"), ("${-:-w}", "w"), ("${HOME:?m}", "/root"),
            ("${EMPTY?m}", ""), ("${none:-::}", "::"),
        ] as [(String, String)])
    func `becomes`(word: String, expected: String) throws {
        #expect(try expand(word) == expected)
    }

    @Test(
        arguments: [
            ("it's", .unterminatedQuote("'")), (#"it\\'s"#, .unterminatedQuote("'")),
            (#""open"#, .unterminatedQuote("\"")), (#""open\""#, .unterminatedQuote("\"")),
            ("${", .missingBrace), ("${HOME", .missingBrace), ("${none:-w", .missingBrace),
            ("${none:-w ${HOME}", .missingBrace), ("${HOME:", .missingBrace),
            ("${}", .badSubstitution), ("${:}", .badSubstitution), ("${{HOME}", .badSubstitution),
            ("${:-w}", .badSubstitution), ("${.}", .unsupportedModifier(".")),
            ("${HOME:x}", .unsupportedModifier(":x")), ("${HOME:=w}", .unsupportedModifier(":=")),
            ("${HOME=w}", .unsupportedModifier("=")), ("${HOME:#w}", .unsupportedModifier(":#")),
            ("${HOME:%w}", .unsupportedModifier(":%")),
            ("${none?}", .required(name: "none", message: "is not allowed to be unset")),
            ("${EMPTY:?}", .required(name: "EMPTY", message: "is not allowed to be empty")),
            ("${none:?set it in $HOME}", .required(name: "none", message: "set it in /root")),
            ("${HOME/x}", .missingSlash), ("${HOME//x}", .missingSlash),
            ("${HOME/x/y", .missingBrace),
            (#"${HOME#\x}"#, .invalidPattern(#"\x"#)),
        ] as [(String, ExpansionError)])
    func `is refused`(word: String, expected: ExpansionError) {
        #expect(throws: expected) { try expand(word) }
    }

    @Test(
        arguments: [
            ("${V#a}", "aab", "ab"), ("${V#*a}", "xaxab", "xab"), ("${V##*a}", "xaxab", "b"),
            ("${V#x}", "aab", "aab"), ("${V#}", "ab", "ab"), ("${V#*}", "ab", "ab"),
            ("${V##*}", "ab", ""), ("${V#?}", "가나", "나"), (#"${V#\*}"#, "**", "*"),
            (#"${V#?\?}"#, "???z", "?z"), ("${V%b}", "abb", "ab"), ("${V%a*}", "abac", "ab"),
            ("${V%%a*}", "xabac", "x"), ("${V%%x}", "ab", "ab"), (#"${V%%\**}"#, "ab**", "ab"),
            ("${V%.*}", "a.tar.gz", "a.tar"), ("${V%%.*}", "a.tar.gz", "a"),
            ("${V#.}", "xab", "xab"),
            ("${V##*/}", "/usr/bin/env", "env"), ("${V%/*}", "/usr/bin/env", "/usr/bin"),
            (#"${V#(()[]{\}^$.\*\?|\\}"#, #"(()[]{}^$.*?|\x"#, "x"), ("${V#${P}}", "xxy", "xy"),
            ("${V/b/X}", "abcb", "aXcb"), ("${V//b/X}", "abcb", "aXcX"), ("${V/z/X}", "ab", "ab"),
            ("${V//a*/X}", "abab", "X"), ("${V//?/-}", "가나", "--"), ("${V/b/}", "abcb", "acb"),
            (#"${V//\//_}"#, "/a/b", "_a_b"), (#"${V//\//\/}"#, "/a", #"\/a"#),
            ("${V//b/$P}", "abc", "axc"),
            ("${V///}", "ab", "ab"), ("${none//a/b}", "", ""), ("${V//b/$1}", "abc", "ac"),
            (#"${V//b/'$'1}"#, "abc", "a$1c"), ("${V#*}", "a\nb", "a\nb"),
            ("${V##*}", "a\nb", "\nb"),
        ] as [(String, String, String)])
    func `cuts and replaces by pattern`(word: String, value: String, expected: String) throws {
        let values = ["V": value, "P": "x"]
        #expect(try Expander().expand(word) { values[$0] }.text == expected)
    }

    @Test func `replaces empty matches between characters`() throws {
        let values = ["V": "ab", "P": ""]
        #expect(try Expander().expand("${V/$P/-}") { values[$0] }.text == "-ab")
        #expect(try Expander().expand("${V//$P/-}") { values[$0] }.text == "-a-b-")
        #expect(try Expander().expand("${V//*/-}") { values[$0] }.text == "-")
    }

    @Test(
        arguments: [
            ("a b", ["a", "b"]), (" a  b ", ["a", "b"]), (#"a\ b"#, ["a b"]),
            (#"'a b' c"#, ["a b", "c"]),
            ("x${ROW}y", ["xa", "by"]), (#"x"${ROW}"y"#, ["xa  by"]),
            (#"a "$ROW" b"#, ["a", "a  b", "b"]),
            ("", []), (#""""#, []), ("80${none:-81}82", ["808182"]),
            ("${none:-80 81}", ["80", "81"]),
            ("$EMPTY", []), (#""a\"b""#, [#"a"b"#]),
        ] as [(String, [String])])
    func `splits at white space that is not quoted`(word: String, expected: [String]) throws {
        #expect(try Expander().expand(word) { variables[$0] }.words == expected)
    }

    @Test func `escapes with a backtick where the directive says so`() throws {
        #expect(try expand("C:\\dir`$HOME", escape: "`") == "C:\\dir$HOME")
        #expect(try expand("\"`$HOME \\$HOME\"", escape: "`") == "$HOME \\/root")
    }

    @Test func `reports which variables it used and which were unset`() throws {
        let word = "${HOME} ${none:-$gone} ${EMPTY:+$TOOL} $none $HOME"
        let expansion = try Expander().expand(word) { variables[$0] }
        #expect(expansion.referenced == ["HOME", "TOOL", "EMPTY"])
        #expect(expansion.unset == ["gone", "none"])
    }

    @Test func `keeps quotes in the body of a heredoc`() throws {
        let expansion = try Expander.heredocBody.expand(#"it's "$HOME" \$x"#) { variables[$0] }
        #expect(expansion.text == #"it's "/root" $x"#)
    }

    @Test func `is refused when it is nested too deep`() {
        let word = String(repeating: "${a:-", count: 5_000) + String(repeating: "}", count: 5_000)
        #expect(throws: ExpansionError.tooDeep(limit: Limits.expansionDepth)) { try expand(word) }
    }

    @Test func `is refused when it grows too long`() {
        let value = String(repeating: "x", count: 1 << 20)
        #expect(throws: ExpansionError.tooLong(limit: Limits.expansionLength)) {
            try Expander().expand(String(repeating: "$V", count: 5)) { _ in value }
        }
    }

    @Test func `is refused when its pattern takes too long`() {
        let value = String(repeating: "a", count: 100_000)
        let pattern = String(repeating: "*a", count: 500) + "b"
        #expect(throws: ExpansionError.tooComplex) {
            try Expander().expand("${V#" + pattern + "}") { _ in value }
        }
    }
}
