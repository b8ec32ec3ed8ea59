import OCI
import Testing

@Suite struct `A reference` {
    struct Case: Sendable, CustomTestStringConvertible {
        var text, canonical, familiar: String
        var testDescription: String { text }
        init(_ text: String, _ canonical: String, _ familiar: String) {
            (self.text, self.canonical, self.familiar) = (text, canonical, familiar)
        }
    }

    static let digest = "@sha256:" + String(repeating: "ab", count: 32)

    @Test(arguments: [
        Case("debian", "docker.io/library/debian:latest", "debian:latest"),
        Case("debian:12", "docker.io/library/debian:12", "debian:12"),
        Case("debian" + digest, "docker.io/library/debian" + digest, "debian" + digest),
        Case("debian:12" + digest, "docker.io/library/debian:12" + digest, "debian:12" + digest),
        Case("a/b", "docker.io/a/b:latest", "a/b:latest"),
        Case("docker.io/debian", "docker.io/library/debian:latest", "debian:latest"),
        Case("index.docker.io/a/b:x", "docker.io/a/b:x", "a/b:x"),
        Case("library/a/b", "docker.io/library/a/b:latest", "library/a/b:latest"),
        Case("localhost/x", "localhost/x:latest", "localhost/x:latest"),
        Case("localhost:5000/x", "localhost:5000/x:latest", "localhost:5000/x:latest"),
        Case("[::1]:5000/x/y:z", "[::1]:5000/x/y:z", "[::1]:5000/x/y:z"),
        Case("ghcr.io/a/b/c:V1.0-rc_2", "ghcr.io/a/b/c:V1.0-rc_2", "ghcr.io/a/b/c:V1.0-rc_2"),
        Case("Host/x", "Host/x:latest", "Host/x:latest"),
        Case("host:80", "docker.io/library/host:80", "host:80"),
        Case("a__b/c-d--e.f_g", "docker.io/a__b/c-d--e.f_g:latest", "a__b/c-d--e.f_g:latest"),
        // Found by fuzzing: without its registry each would be read as something else.
        Case("docker.io/a.b/c", "docker.io/a.b/c:latest", "docker.io/a.b/c:latest"),
        Case(
            "docker.io/localhost/c", "docker.io/localhost/c:latest", "docker.io/localhost/c:latest"),
        Case("xn--n3h.com/x", "xn--n3h.com/x:latest", "xn--n3h.com/x:latest"),
    ])
    func `is completed and shortened as Docker does`(item: Case) throws {
        let reference = try Reference(parsing: item.text)
        #expect(reference.description == item.canonical)
        #expect(reference.familiar == item.familiar)
        #expect(try Reference(parsing: reference.description) == reference)
        #expect(try Reference(parsing: reference.familiar) == reference)
    }

    @Test func `has its parts`() throws {
        let reference = try Reference(parsing: "localhost:5000/a/b:c" + Self.digest)
        #expect(reference.registry == "localhost:5000")
        #expect(reference.repository == "a/b")
        #expect(reference.tag == "c")
        #expect(reference.digest?.description == String(Self.digest.dropFirst()))
        #expect(reference.name == "localhost:5000/a/b")
        let digest = try #require(reference.digest)
        #expect(reference.pinned(to: digest).description == "localhost:5000/a/b" + Self.digest)
        #expect(try reference.with(tag: "x", digest: nil).tag == "x")
        #expect(throws: ReferenceError.self) { try reference.with(tag: "-x", digest: nil) }
    }

    struct Refusal: Sendable, CustomTestStringConvertible {
        var text: String
        var problem: ReferenceError.Problem
        var testDescription: String { text }
        init(_ text: String, _ problem: ReferenceError.Problem) {
            (self.text, self.problem) = (text, problem)
        }
    }

    @Test(arguments: [
        Refusal("", .empty),
        Refusal("Debian", .upperCase),
        Refusal("a/B", .upperCase),
        Refusal("-a", .invalidRepository),
        Refusal("a..b", .invalidRepository),
        Refusal("a___b", .invalidRepository),
        Refusal("a._b", .invalidRepository),
        Refusal("a/", .invalidRepository),
        Refusal("a//b", .invalidRepository),
        Refusal("/a", .invalidRepository),
        Refusal("../etc", .invalidRegistry),
        Refusal("a/../b", .invalidRepository),
        Refusal("http://x/y", .invalidRegistry),
        Refusal("host.com:port/x", .invalidRegistry),
        Refusal("host.com:99999/x", .invalidRegistry),
        Refusal("-host.com/x", .invalidRegistry),
        Refusal("[::1/x", .invalidRegistry),
        Refusal("user@host.com/x", .invalidDigest),
        Refusal("a:", .invalidTag),
        Refusal("a:-x", .invalidTag),
        Refusal("a:x y", .invalidTag),
        Refusal("a:" + String(repeating: "t", count: 129), .invalidTag),
        Refusal("a@sha256:12", .invalidDigest),
        Refusal("a@sha512:" + String(repeating: "0", count: 128), .invalidDigest),
        Refusal("x.y/" + String(repeating: "a", count: 256), .repositoryTooLong(limit: 255)),
        Refusal(String(repeating: "0", count: 64), .bareDigest),
        Refusal("caf\u{e9}", .invalidRepository),
        Refusal(String(repeating: "a", count: 2000), .tooLong(limit: 1024)),
    ])
    func `is refused where the grammar has no such name`(item: Refusal) {
        #expect { try Reference(parsing: item.text) } throws: { error in
            (error as? ReferenceError)?.problem == item.problem
        }
    }

    @Test func `is quoted without control characters`() {
        #expect { try Reference(parsing: "a\u{1b}[31m") } throws: { error in
            "\(error)" == "\"a[31m\" is not an image reference: the repository name is not valid"
        }
    }
}
