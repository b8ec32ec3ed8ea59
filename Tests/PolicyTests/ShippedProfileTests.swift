import Glibc
import Policy
import Testing

/// Docker's and Podman's own files, which aren't ours to keep here: `LICHEN_SHIPPED_PROFILES` names a directory with
/// `moby-profiles-default.json` and `podman-common-default.json`.
@Suite(.enabled(if: ShippedProfiles.directory != nil, "LICHEN_SHIPPED_PROFILES isn't set"))
struct `Shipped profiles` {
    @Test(arguments: ShippedProfiles.names, Architecture.allCases)
    func `compile`(name: String, architecture: Architecture) throws {
        let profile = try ShippedProfiles.read(name)
        for capabilities in [CapabilitySet(), .all] {
            let target = SeccompTarget(
                architecture: architecture, kernel: KernelVersion(6, 1), capabilities: capabilities)
            let program = try SeccompProgram(profile, for: target)
            #expect(program.count < 1000)
        }
    }

    @Test func `of Docker are what DockerFacts says`() throws {
        let profile = try ShippedProfiles.read("moby-profiles-default.json")
        typealias Comparison = `The default policy beside Docker's`
        for architecture in [Architecture.x86_64, .aarch64] {
            for capabilities in [[], .all, try SandboxPolicy.default.capabilities]
                as [CapabilitySet]
            {
                let target = SeccompTarget(
                    architecture: architecture, kernel: KernelVersion(6, 1),
                    capabilities: capabilities)
                let program = try SeccompProgram(profile, for: target)
                for (name, number) in Comparison.calls(of: architecture) {
                    #expect(
                        try Comparison.answer(of: program, to: number)
                            == Comparison.docker(name, capabilities: capabilities), "\(name)")
                }
            }
        }
    }

    @Test func `of Docker keep the kernel's sockets shut`() throws {
        let program = try SeccompProgram(
            ShippedProfiles.read("moby-profiles-default.json"), for: target())
        for family in [38, 40, 0x1_0000_0026, 0x1_0000_0028] as [UInt64] {
            #expect(try program.returns(call("socket", family)) == Returned.eperm)
        }
        #expect(try program.returns(call("socket", 0x1_0000_0002)) == Returned.allow)
    }

    @Test func `of Podman say twice what becomes of setns`() throws {
        let program = try SeccompProgram(
            ShippedProfiles.read("podman-common-default.json"), for: target())
        #expect(try program.returns(call("setns")) == Returned.allow)
        #expect(program.shadowed.count == 1)
        #expect(try program.returns(call("socket", 40)) == Returned.eperm)
        #expect(try program.returns(call("socket", 16, 3, 9)) == Returned.errno(22))
        #expect(try program.returns(call("socket", 16, 3, 0)) == Returned.allow)
    }
}

enum ShippedProfiles {
    static let directory = getenv("LICHEN_SHIPPED_PROFILES").map { String(cString: $0) }
    static let names = ["moby-profiles-default.json", "podman-common-default.json"]

    static func read(_ name: String) throws -> SeccompProfile {
        let path = (directory ?? "") + "/" + name
        let file = try #require(fopen(path, "r"), "\(path)")
        defer { fclose(file) }
        var bytes = [UInt8](repeating: 0, count: 1 << 20)
        let count = fread(&bytes, 1, bytes.count, file)
        return try SeccompProfile(parsing: Array(bytes[..<count]), named: name)
    }
}
