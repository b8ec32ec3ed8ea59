import OCI
import Policy
import Registry

private let digest = "sha256:" + String(repeating: "0a", count: 32)

extension FuzzTarget {
    /// Manifests, indexes and configs: the same bytes are for all of them.
    static func documents() throws -> FuzzTarget {
        let layer = "application/vnd.oci.image.layer.v1.tar+gzip"
        let config = "application/vnd.oci.image.config.v1+json"
        let seeds = [
            """
            {"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":{"mediaType":"\(config)",\
            "digest":"\(digest)","size":7},"layers":[{"mediaType":"\(layer)","digest":"\(digest)","size":9,\
            "annotations":{"a":"b"},"urls":["http://x/"]}],"annotations":{"c":"d"}}
            """,
            """
            {"schemaVersion":2,"manifests":[{"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":"\(digest)",\
            "size":1,"platform":{"os":"linux","architecture":"arm64","variant":"v8","os.features":["x"]}}]}
            """,
            """
            {"architecture":"amd64","os":"linux","created":"2024-02-30T12:00:00.123456789+01:00","config":{"Env":["A=b"],\
            "Cmd":["/bin/sh"],"Entrypoint":null,"WorkingDir":"/","User":"1:2","ExposedPorts":{"80/tcp":{}},"Volumes":{"/v":{}},\
            "Labels":{"x":"y"},"StopSignal":"TERM","Healthcheck":{"Test":["CMD","x"],"Interval":1000},"OnBuild":["RUN x"]},\
            "rootfs":{"type":"layers","diff_ids":["\(digest)"]},"history":[{"created_by":"x","empty_layer":true}]}
            """,
            #"{"schemaVersion":1,"fsLayers":[],"signatures":[]}"#, "[]", "{}", "null", "1e400",
        ]
        let fragments = [
            "{", "}", "[", "]", ",", ":", "\"", "\\u0000", "\\ud800", "null", "-1", "1e3",
            "9223372036854775808",
            "\"layers\":", "\"manifests\":[]", "\"Layers\":[]", "\"size\":", digest, "sha512:",
            "\u{FEFF}", "é",
            "application/vnd.docker.distribution.manifest.v2+json", "[[[[[[[[[[[[[[[[",
            #"{"a":{"a":{"a":{"a":"#,
        ]
        return FuzzTarget("documents", seeds: seeds.bytes, fragments: fragments.bytes) { bytes in
            for announced in [nil, MediaType.manifest, .index, .dockerManifest] {
                try expecting(DocumentError.self) {
                    try check(try ManifestDocument(decoding: bytes, contentType: announced))
                }
            }
            try expecting(DocumentError.self) {
                let config = try ImageConfig(decoding: bytes)
                let again = try ImageConfig(decoding: config.encoded())
                try require(again == config, "a config is another one when it is written and read")
                _ = config.platform.normalized.description
            }
        }
    }

    private static func check(_ document: ManifestDocument) throws {
        switch document {
        case .manifest(let manifest):
            try require(manifest.layers.allSatisfy { $0.size >= 0 }, "a negative size")
            let again = try Manifest(decoding: manifest.encoded())
            try require(again == manifest, "a manifest is another one when it is written and read")
            try expecting(DocumentError.self) { try manifest.checkIsImage() }
        case .index(let index):
            let again = try Index(decoding: index.encoded())
            try require(again == index, "an index is another one when it is written and read")
            if let chosen = index.descriptor(for: Platform(os: "linux", architecture: "arm64")) {
                try require(index.manifests.contains(chosen), "a descriptor from nowhere")
            }
        }
    }

    /// `WWW-Authenticate`.
    static func challenges() throws -> FuzzTarget {
        let seeds = [
            #"Bearer realm="https://a.example/token",service="registry",scope="repository:a/b:pull,push""#,
            #"Basic realm="x""#, #"Digest a=b, Basic realm="\"", Bearer realm="http://[::1]:5/""#,
            "Negotiate abc==",
        ]
        let fragments = [
            "Bearer ", "Basic", "realm=", "\"", "\\\"", "\\", ",", "=", " ", "\t", "error=\"",
            "scope=", "http://u:p@h/",
            "é", "\u{0}", ",,,", "==",
        ]
        return FuzzTarget("challenges", seeds: seeds.bytes, fragments: fragments.bytes) { bytes in
            let text = String(decoding: bytes, as: UTF8.self)
            let found = Challenge.parse([text])
            try require(found == Challenge.parse([text]), "two readings differ")
            for challenge in found {
                try require(!challenge.scheme.isEmpty, "a challenge without a scheme")
                for (name, value) in challenge.parameters {
                    try require(
                        name == name.lowercased() && value.utf8.count <= 3 * 8192,
                        "the parameter \(name)")
                }
            }
        }
    }

    static func references() throws -> FuzzTarget {
        let seeds = [
            "debian", "docker.io/library/debian:12", "localhost:5000/a/b@\(digest)", "[::1]:80/x:y",
            digest,
            "quay.io/a__b/c-d.e:v1.2-3", "127.0.0.1:1/x", "https://h:1/a?b=c#d", "linux/arm64/v8",
            "2024-01-31T23:59:60.5-12:30",
        ]
        let fragments = [
            "/", ":", "@", "..", "//", "[", "]", "-", "_", "__", "sha256:", "%2e", "\u{0}", "é",
            "A", ":99999", "\n", "?", "#",
        ]
        return FuzzTarget("references", seeds: seeds.bytes, fragments: fragments.bytes) { bytes in
            let text = String(decoding: bytes, as: UTF8.self)
            try expecting(ReferenceError.self) {
                let reference = try Reference(parsing: text)
                // What is read again is the same, however it is written; and no part of it leads anywhere else as a path.
                for form in [reference.description, reference.familiar] {
                    try require(
                        try Reference(parsing: form) == reference, "\(form) is another reference")
                }
                let parts = reference.repository.split(
                    separator: "/", omittingEmptySubsequences: false)
                try require(
                    !parts.contains { ["", ".", ".."].contains($0) },
                    "the repository \(reference.repository)")
                try require(!reference.registry.contains("/"), "the registry \(reference.registry)")
            }
            if let digest = Digest(text) {
                try require(
                    "\(digest)" == text && digest.hex.utf8.allSatisfy { $0 != 0x2f }, "\(digest)")
            }
            if let platform = try? Platform(parsing: text) {
                try require(
                    try Platform(parsing: platform.description).normalized == platform.normalized,
                    "\(platform)")
            }
            _ = Timestamp(text)
        }
    }

    static func policies() throws -> FuzzTarget {
        let seeds = [
            """
            {"defaultAction":"SCMP_ACT_ERRNO","defaultErrnoRet":1,"archMap":[{"architecture":"SCMP_ARCH_X86_64",\
            "subArchitectures":["SCMP_ARCH_X86"]}],"syscalls":[{"names":["read","write"],"action":"SCMP_ACT_ALLOW"},\
            {"names":["personality"],"action":"SCMP_ACT_ALLOW","args":[{"index":0,"value":8,"op":"SCMP_CMP_EQ"}]},\
            {"names":["clone"],"action":"SCMP_ACT_ERRNO","errnoRet":38,"args":[{"index":0,"value":2114060288,"valueTwo":0,\
            "op":"SCMP_CMP_MASKED_EQ"}],"includes":{"caps":["CAP_SYS_ADMIN"],"minKernel":"5.9"},"excludes":{"arches":["s390"]}}]}
            """,
            #"{"defaultAction":"SCMP_ACT_ALLOW","architectures":["SCMP_ARCH_X86_64"],"syscalls":[],"flags":["SECCOMP_FILTER_FLAG_LOG"]}"#,
            // Comments, and a comma at the end.
            "{\n// why\n\"defaultAction\": \"SCMP_ACT_KILL_PROCESS\", \"syscalls\": [{\"name\": \"ptrace\", \"action\": \"SCMP_ACT_LOG\"},]}",
        ]
        let fragments = [
            "{", "}", "[", "]", ",", "\"", "\\u0000", "//\n", "/*", "18446744073709551615", "-1",
            "1e20", "0x26", "\"names\":",
            "\"SCMP_ACT_NOTIFY\"", "\"SCMP_CMP_GE\"", "\"index\":9", "\"errnoRet\":4096",
            "\"minKernel\":\"6\"",
            "\"listenerPath\":\"/x\"", "ptrce", "SCMP_ARCH_ARM", "[[[[[[[[", "null", "true",
        ]
        return FuzzTarget("policies", seeds: seeds.bytes, fragments: fragments.bytes) { bytes in
            try expecting(PolicyError.self) {
                let profile = try SeccompProfile(parsing: bytes, named: "fuzz.json")
                let again = try SeccompProfile(parsing: bytes, named: "fuzz.json")
                try require(profile == again, "two readings differ")
                let target = SeccompTarget(
                    architecture: .x86_64, kernel: KernelVersion(6, 1), capabilities: [])
                let program = try SeccompProgram(profile, for: target)
                try require(
                    program.bytes == (try SeccompProgram(again, for: target)).bytes,
                    "two programs differ")
            }
        }
    }
}
