import Testing

@testable import lichen

@Suite struct `Foreign output` {
    @Test(arguments: [
        ("plain text", "plain text"),
        ("tab\tline\nreturn\r", "tab\tline\nreturn\r"),
        ("grüße 世界 👩‍💻", "grüße 世界 👩‍💻"),
        ("\u{1B}[31mred\u{1B}[0m", "red"),
        ("\u{1B}[2J\u{1B}[1;1Hgone", "gone"),
        ("\u{1B}[38;5;196mx", "x"),
        ("\u{1B}[?25lx", "x"),
        ("\u{1B}]0;title\u{07}x", "x"),
        ("\u{1B}]8;;http://evil\u{1B}\\link\u{1B}]8;;\u{1B}\\", "link"),
        ("\u{1B}]52;c;ZXZpbA==\u{07}x", "x"),
        ("\u{1B}Pq#0\u{1B}\\x", "x"),
        ("\u{1B}_apc\u{1B}\\x", "x"),
        ("\u{1B}^pm\u{1B}\\x", "x"),
        ("\u{1B}Xsos\u{1B}\\x", "x"),
        ("\u{1B}(0x", "x"),
        ("\u{1B}#8x", "x"),
        ("\u{1B}cx", "x"),
        ("\u{1B}\u{1B}[31mx", "x"),
        ("\u{1B}]0;no end\nnext line", "\nnext line"),
        ("\u{1B}[31\nnext line", "\nnext line"),
        ("\u{1B}]0;a\u{18}x", "x"),
        ("\u{1B}[12\u{1B}[1mx", "x"),
        ("\u{9B}31mx", "x"),
        ("\u{9D}0;t\u{9C}x", "x"),
        ("\u{90}q\u{9C}x", "x"),
        ("a\u{85}b\u{8D}c", "abc"),
        ("bell\u{07} back\u{08} null\u{00} del\u{7F}", "bell back null del"),
        ("vt\u{0B} ff\u{0C} so\u{0E}", "vt ff so"),
        ("\u{202E}turned\u{202C} \u{2066}x\u{2069}", "turned x"),
        ("a\u{2028}b", "a b"),
        ("\u{FEFF}mark", "mark"),
    ]) func `loses what drives a terminal`(input: String, expected: String) {
        var whole = Sanitizer()
        let cleaned = whole.clean(Array(input.utf8)) + whole.finish()
        #expect(String(decoding: cleaned, as: UTF8.self) == expected)
        // The same in pieces of one byte.
        var pieces = Sanitizer()
        var bytes: [UInt8] = []
        for byte in input.utf8 { bytes += pieces.clean([byte]) }
        #expect(bytes + pieces.finish() == cleaned)
    }

    @Test(
        arguments: [
            ([0xFF, 0x61], "\u{FFFD}a"),
            ([0xC0, 0x9B, 0x61], "\u{FFFD}\u{FFFD}a"),
            ([0x9B, 0x33, 0x6D], "\u{FFFD}3m"),
            ([0xE2, 0x82], "\u{FFFD}"),
            ([0xE2, 0x82, 0x61], "\u{FFFD}a"),
            ([0xED, 0xA0, 0x80], "\u{FFFD}\u{FFFD}\u{FFFD}"),
            ([0xF4, 0x90, 0x80, 0x80], "\u{FFFD}\u{FFFD}\u{FFFD}\u{FFFD}"),
        ] as [([UInt8], String)]) func `that is no UTF-8 is replaced`(
            bytes: [UInt8], expected: String
        )
    {
        var sanitizer = Sanitizer()
        let cleaned = sanitizer.clean(bytes) + sanitizer.finish()
        #expect(String(decoding: cleaned, as: UTF8.self) == expected)
    }

    @Test func `is not swallowed by a string that never ends`() {
        var sanitizer = Sanitizer()
        let endless = Array("\u{1B}]".utf8) + [UInt8](repeating: 0x61, count: 10_000)
        #expect(sanitizer.clean(endless).count > 5_000)
    }

    @Test func `has no control byte left, whatever it was`() {
        var generator = SystemRandomNumberGenerator()
        let salt: [UInt8] = [0x1B, 0x9B, 0x5B, 0x5D, 0x07, 0xC2, 0x9D, 0x0A, 0x41]
        for _ in 0..<300 {
            let bytes = (0..<200).map { _ in
                Bool.random(using: &generator)
                    ? salt.randomElement(using: &generator)! : UInt8.random(in: 0...255)
            }
            var sanitizer = Sanitizer()
            let text = String(decoding: sanitizer.clean(bytes), as: UTF8.self)
            let bad = text.unicodeScalars.filter {
                $0.properties.generalCategory == .control && !"\t\n\r".unicodeScalars.contains($0)
            }
            #expect(bad.isEmpty)
        }
    }
}

@Suite struct `Lines of output` {
    @Test func `come when they end, in whatever pieces`() {
        var lines = OutputLines()
        #expect(lines.append(Array("one\ntw".utf8)) == ["one"])
        #expect(lines.partial == "tw")
        #expect(lines.append(Array("o\r".utf8)) == [])
        #expect(lines.append(Array("\nthree".utf8)) == ["two"])
        #expect(lines.finish() == "three")
        #expect(lines.finish() == nil)
    }

    @Test func `keep the last state of a progress bar`() {
        var lines = OutputLines()
        #expect(lines.append(Array("10%\r55%\r100%\ndone\r\n".utf8)) == ["100%", "done"])
    }

    @Test func `are broken where they are too long, not inside a character`() {
        var lines = OutputLines()
        let text = String(repeating: "ä", count: OutputLines.longestLine)
        let broken = lines.append(Array(text.utf8)) + [lines.finish()].compactMap { $0 }
        #expect(broken.count == 2)
        #expect(broken.joined() == text)
    }
}
