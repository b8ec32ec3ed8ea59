import ArgumentParser
import Build
import Testing

@testable import lichen

@Suite struct `The value of --output` {
    @Test(arguments: [
        ("type=oci,dest=a.tar", ImageOutput(kind: .oci, destination: .path("a.tar"), isTar: true)),
        (
            "dest=d,tar=false,type=oci",
            ImageOutput(kind: .oci, destination: .path("d"), isTar: false)
        ),
        ("type=oci,dest=d", ImageOutput(kind: .oci, destination: .path("d"), isTar: false)),
        ("type=oci,dest=d,tar=true", ImageOutput(kind: .oci, destination: .path("d"), isTar: true)),
        ("type=oci,dest=-", ImageOutput(kind: .oci, destination: .standardOutput, isTar: true)),
        ("type=tar,dest=-", ImageOutput(kind: .tar, destination: .standardOutput, isTar: true)),
        ("type=tar,dest=a,tar=true", ImageOutput(kind: .tar, destination: .path("a"), isTar: true)),
        ("type=local,dest=d", ImageOutput(kind: .local, destination: .path("d"), isTar: false)),
        ("type=local,dest=a=b", ImageOutput(kind: .local, destination: .path("a=b"), isTar: false)),
        (
            "type=docker,dest=a",
            ImageOutput(kind: .docker, destination: .path("a"), isTar: true)
        ),
        (
            "type=docker,dest=-,tar=true",
            ImageOutput(kind: .docker, destination: .standardOutput, isTar: true)
        ),
        ("out/here", ImageOutput(kind: .local, destination: .path("out/here"), isTar: false)),
        ("-", ImageOutput(kind: .tar, destination: .standardOutput, isTar: true)),
    ]) func `is read`(text: String, expected: ImageOutput) throws {
        #expect(try ImageOutput(parsing: text) == expected)
    }

    @Test(arguments: [
        ("", "it is empty"),
        ("a,b", "write it as"),
        ("dest=a", "type is missing"),
        ("type=oci", "dest is missing"),
        ("type=oci,dest=", "dest is missing"),
        ("type=oci,dest=a,dest=b", "dest is there twice"),
        ("type=oci,dest=a,compression=zstd", "unknown key \"compression\""),
        ("type=oci,dest=a,", "\"\" is not key=value"),
        ("type=oci,dest=a,b", "a comma can't be in a path"),
        ("type=oci,dest=a,tar=1", "tar is true or false"),
        ("type=oci,dest=-,tar=false", "a directory can't go to standard output"),
        ("type=local,dest=-", "a directory can't go to standard output"),
        ("type=local,dest=a,tar=true", "use type=tar"),
        ("type=tar,dest=a,tar=false", "use type=local"),
        ("type=docker", "dest is missing"),
        ("type=docker,dest=a,tar=false", "use type=oci"),
        ("type=registry,dest=a", "--push"),
        ("type=image,dest=a", "--push"),
        ("type=Oci,dest=a", "unknown type \"Oci\""),
    ]) func `is refused where it is not one of the forms`(text: String, reason: String) throws {
        let error = try #require(
            #expect(throws: ValidationError.self) { try ImageOutput(parsing: text) })
        #expect(error.message.contains(reason))
    }
}
