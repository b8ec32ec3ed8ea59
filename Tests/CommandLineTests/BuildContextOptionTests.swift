import ArgumentParser
import Build
import OCI
import Testing

@testable import lichen

@Suite struct `The value of --build-context` {
    private static let digest = "sha256:" + String(repeating: "a", count: 64)

    @Test(arguments: [
        ("a=dir", NamedContext.directory("dir")),
        ("a=./x=y", .directory("./x=y")),
        ("a=oci-layout://d", .stored(StoredImage(format: .ociLayout, path: "d"))),
        (
            "a=oci-layout:///x/d:1.0",
            .stored(StoredImage(format: .ociLayout, path: "/x/d", selector: .name("1.0")))
        ),
        (
            "a=oci-layout://d@\(digest)",
            .stored(
                StoredImage(format: .ociLayout, path: "d", selector: .digest(Digest(digest)!)))
        ),
        (
            "a=oci-archive://f.tar:h:5/a:1",
            .stored(StoredImage(format: .ociArchive, path: "f.tar", selector: .name("h:5/a:1")))
        ),
        (
            "a=docker-archive://f.tar:app",
            .stored(StoredImage(format: .dockerArchive, path: "f.tar", selector: .name("app")))
        ),
        ("a=https://x/y.git#v1:d", .remote(try! RemoteContext("https://x/y.git#v1:d")!)),
        ("a=git@x:y", .remote(try! RemoteContext("git@x:y")!)),
        ("a=https://x/y.tar", .remote(try! RemoteContext("https://x/y.tar")!)),
    ]) func `is read`(text: String, expected: NamedContext) throws {
        let option = try BuildContextOption(parsing: text)
        #expect(option == BuildContextOption(name: "a", context: expected))
    }

    @Test(arguments: [
        ("docker.io/library/debian", "debian"), ("debian:latest", "debian"),
        ("debian:12", "debian:12"), ("h:5/a:latest", "h:5/a"),
    ]) func `has a name as Docker prints it`(text: String, name: String) throws {
        #expect(try BuildContextOption(parsing: "\(text)=d").name == name)
    }

    @Test(arguments: [
        ("", "write it as"), ("a", "write it as"), ("a=", "write it as"), ("=d", "write it as"),
        ("UPPER=d", "can't be a name"), ("scratch=d", "always means the same"),
        ("context=d", "always means the same"), ("a=https://u:p@x/y.git", "a user or a password"),
        ("a=target:b", "not carried out yet"), ("a=ftp://x", "unknown \"ftp://\""),
        ("a=oci-layout://", "a path is missing"), ("a=oci-layout://:1", "a path is missing"),
        ("a=oci-layout://d:", "comes a tag"), ("a=oci-layout://d@sha256:00", "comes a digest"),
        ("a=docker-archive://f@\(digest)", "no digests"),
    ]) func `is refused where it is not one of the forms`(text: String, reason: String) throws {
        let error = try #require(
            #expect(throws: ValidationError.self) { try BuildContextOption(parsing: text) })
        #expect(error.message.contains(reason))
    }
}
