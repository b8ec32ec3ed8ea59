import Archive
import Testing

@Suite struct `A tar reader refuses` {
    @Test(arguments: ["LL", "KK", "xx", "xg", "L", "K", "x", "LKx"])
    func `extension headers that are chained or dangling`(types: String) {
        let found = refusal { tar in
            for type in types {
                if type == "x" || type == "g" {
                    tar.pax([("comment", "c")], type: type)
                } else {
                    tar.long(Array("name\0".utf8), type: type)
                }
            }
            if types.count == 2 { tar.header() }
        }
        #expect(found == .corrupt("an extension header that no entry follows"))
    }

    @Test(arguments: [
        "4 a=\n", "6 a=\nx", "7 a=b\n", "a=b\n", "06a=b\n", "12 path=a\u{0}b\n", "10 uid=1.\n",
        "9 uid=a\n", "13 mtime=nan\n", "15 mtime=1e400\n", "5 =b\n", "-6 a=b\n",
        "999999999999999999999999999999 a=b\n", "33 size=99999999999999999999999\n",
        "18 mtime=1.5.5.5.5\n", "7 size\n",
    ])
    func `malformed PAX records`(records: String) {
        #expect(
            refusal {
                $0.pax(raw: Array(records.utf8))
                $0.header()
            } != nil)
    }

    @Test func `sizes that no header needs, before memory is given to them`() {
        let limits: [(Character, Int)] = [
            ("x", ArchiveLimits.paxHeader), ("g", ArchiveLimits.paxHeader),
            ("L", ArchiveLimits.longName), ("K", ArchiveLimits.longName),
        ]
        for (type, limit) in limits {
            let found = refusal { $0.header(type: type, size: 0o77777777777) }
            guard case .limit(_, Int64(limit)) = found else {
                Issue.record("\(type): \(String(describing: found))")
                continue
            }
        }
    }

    @Test func `names that no file system takes`() {
        let component = [UInt8](repeating: 97, count: 256)
        let path = Array(String(repeating: "ab/", count: 1366).utf8) + [97]
        for name in [component, path, component + [0x2f]] {
            #expect(
                refusal {
                    $0.pax([("path", name)])
                    $0.header()
                } != nil)
        }
        // A whiteout is no file: its name is that of one, and four bytes more.
        for (count, isTaken) in [(255, true), (256, false)] {
            let hidden = Array(".wh.".utf8) + [UInt8](repeating: 97, count: count)
            let found = refusal {
                $0.pax([("path", Array("d/".utf8) + hidden)])
                $0.header()
            }
            #expect((found == nil) == isTaken)
        }
        #expect(refusal { $0.header("") } == .corrupt("an entry without a name"))
        #expect(refusal { $0.header(type: "2") } == .corrupt("an empty link"))
    }

    @Test(arguments: ["4294967295", "4294967296", "-1", "9223372036854775807"])
    func `ids that chown can't set`(id: String) {
        for key in ["uid", "gid"] {
            #expect(
                refusal {
                    $0.pax([(key, id)])
                    $0.header()
                } != nil)
        }
    }

    @Test func `data behind what has none`() {
        for type: Character in ["2", "3", "4", "5", "6"] {
            let found = refusal { tar in
                tar.header(type: type, size: 512) { $0[157] = 97 }
                tar.data([UInt8](repeating: 0, count: 512))
            }
            #expect(found == .corrupt("data after an entry that has none"), "type \(type)")
        }
        #expect(refusal { $0.header("dir/", size: 512) } != nil)
    }

    @Test(arguments: ["D", "M", "N", "X", "A", "8", "Z", "s"])
    func `kinds it doesn't know`(type: Character) {
        guard case .unsupported = refusal({ $0.header(type: type) }) else {
            Issue.record("type \(type) was taken")
            return
        }
    }

    @Test func `more xattrs and longer ones than Linux has`() {
        let many = (0...ArchiveLimits.xattrs).map { ("SCHILY.xattr.user.\($0)", "v") }
        let long = [UInt8](repeating: 1, count: ArchiveLimits.xattrValue + 1)
        let name = "SCHILY.xattr." + String(repeating: "n", count: 256)
        #expect(
            refusal {
                $0.pax(many)
                $0.header()
            } == .limit("xattrs of an entry", Int64(ArchiveLimits.xattrs)))
        #expect(
            refusal {
                $0.pax([("SCHILY.xattr.user.a", long)])
                $0.header()
            } == .limit("bytes of an xattr", Int64(ArchiveLimits.xattrValue)))
        #expect(
            refusal {
                $0.pax([(name, "v")])
                $0.header()
            } == .limit("bytes of an xattr name", 255))
    }

    @Test(arguments: [
        "0,1,0,1", "5,1,0,1", "0,1,1", "-1,2", "9223372036854775807,5", "0,a", "0,6",
        "0,0,9223372036854775807,0",
    ])
    func `maps of sparse files that contradict themselves`(map: String) {
        let found = refusal { tar in
            tar.pax([
                ("GNU.sparse.size", "100"), ("GNU.sparse.map", map), ("GNU.sparse.name", "s"),
            ])
            tar.header(size: 2)
            tar.data([1, 2])
        }
        #expect(found != nil)
    }

    @Test func `a check sum that is wrong, and a lone block of zeros`() {
        var tar = RawTar()
        tar.header("a")
        tar.bytes[0] ^= 1
        #expect(
            problem { _ = try entries(of: tar.bytes) }
                == .corrupt("no tar header, or a damaged one"))
        #expect(
            refusal {
                $0.header("a")
                $0.data([UInt8](repeating: 0, count: 512))
                $0.header("b")
            } == .corrupt("a single block of zeros between entries"))
    }

    @Test func `too much behind its end`() {
        final class Zeros: ByteSource {
            func read(into buffer: UnsafeMutableRawBufferPointer) -> Int {
                buffer.initializeMemory(as: UInt8.self, repeating: 0)
                return buffer.count
            }
        }
        #expect(
            problem { _ = try TarReader(Zeros()).next() }
                == .limit("bytes after the end of the archive", ArchiveLimits.trailing))
    }

    @Test func `an archive for good`() throws {
        var tar = RawTar()
        tar.header("bad", type: "Z")
        tar.header("fine")
        tar.end()
        let reader = TarReader(MemorySource(tar.bytes))
        #expect(throws: ArchiveError.self) { try reader.next() }
        #expect(throws: ArchiveError.self) { try reader.next() }
    }

    @Test func `and names the entry and the byte`() throws {
        var tar = RawTar()
        tar.header("fine")
        tar.header("bad\u{1b}name", type: "Z")
        tar.end()
        do {
            _ = try entries(of: tar.bytes)
            Issue.record("it was taken")
        } catch let error as ArchiveError {
            #expect(error.offset == 512)
            #expect(error.format == .tar)
            #expect(error.description.contains("bad\\x1bname"))
        }
    }
}
