import Synchronization
import Testing

@testable import Doctor

@Suite struct `A requirement` {
    @Test func `is a fact, a value or a number`() throws {
        let list = try Requirement.parse("userns,store.filesystem=ext4,landlock>=6,kernel>=6.12")
        #expect(
            list == [
                try Requirement(parsing: "userns"),
                try Requirement(parsing: "store.filesystem=ext4"),
                try Requirement(parsing: "landlock>=6"),
                try Requirement(parsing: "kernel>=6.12"),
            ])
        #expect(
            list.map(\.condition) == [.good, .equal("ext4"), .atLeast([6]), .atLeast([6, 12])])
        #expect(
            list.map(\.description)
                == ["userns", "store.filesystem=ext4", "landlock>=6", "kernel>=6.12"])
    }

    @Test(arguments: [
        "", "userns,", ",userns", "=", "userns=", ">=6", "landlock>=", "landlock>=six",
        "landlock>=-1", "kernel>=6.", "kernel>=6.12.",
    ])
    func `that says nothing is refused`(list: String) {
        #expect(throws: Requirement.Problem.self) { try Requirement.parse(list) }
    }

    @Test(arguments: [
        ("usern", "userns"), ("lanlock", "landlock"), ("overlay.stor", "overlay.store"),
        ("listener", "seccomp.listener"), ("CGROUPNS", "cgroupns"), ("subuids", "subuid"),
    ])
    func `of an unknown fact names the near ones`(word: String, meant: String) {
        do {
            _ = try Requirement.parse(word)
            Issue.record("\(word) is a fact")
        } catch Requirement.Problem.unknownFact(let name, let near) {
            #expect(name == word)
            #expect(near.contains(meant), "\(near)")
            #expect(near.count <= 3)
        } catch { Issue.record("\(error)") }
    }

    @Test func `of a fact that is like none says where they are listed`() {
        let problem = Requirement.Problem.unknownFact("xyzzyx", near: [])
        #expect(NearNames.near("xyzzyx", among: FactCatalog.names).isEmpty)
        #expect(problem.description.contains("lichen doctor"))
    }

    @Test(arguments: [
        ("landlock", "7", Fact.State.good, true), ("landlock", "5", .degraded, false),
        ("landlock", "yes", .unknown, false), ("landlock=7", "7", .good, true),
        ("landlock=7", "6", .good, false), ("landlock=5", "5", .degraded, true),
        ("landlock>=6", "7", .good, true), ("landlock>=6", "6", .good, true),
        ("landlock>=6", "5", .degraded, false), ("landlock>=6", "unknown", .unknown, false),
        ("landlock>=6", "none", .missing, false), ("landlock>=6", "10", .good, true),
        ("kernel>=6.7", "6.12", .good, true), ("kernel>=6.12", "6.7", .degraded, false),
        ("kernel>=6", "6.1", .good, true), ("rlimit.nproc>=9", "unlimited", .good, true),
    ])
    func `is met or not`(word: String, value: String, state: Fact.State, isMet: Bool) throws {
        let requirement = try Requirement(parsing: word)
        let fact = Fact(name: requirement.fact, group: .system, value: value, state: state)
        #expect(requirement.isMet(by: fact) == isMet)
    }
}

@Suite struct `An examination` {
    private let place = Place(store: "/nonexistent/store", environment: [:])

    @Test func `measures what is asked for, and nothing else`() {
        let asked = Mutex<[String]>([])
        let log = { @Sendable (name: String) in asked.withLock { $0.append(name) } }
        let definitions = ["one", "two", "three"].map { name in
            FactDefinition(name, .system, "") { _ in
                log(name)
                return .good("yes")
            }
        }
        let facts = Examination(place, definitions).facts(["three", "one"])
        #expect(facts.map(\.name) == ["one", "three"])
        #expect(asked.withLock { $0.sorted() } == ["one", "three"])
    }

    @Test func `leaves what hangs behind, as unknown`() {
        let definitions = [
            FactDefinition("hanging", .system, "") { _ in
                pauseForLong()
                return .good("yes")
            },
            FactDefinition("quick", .system, "") { _ in .good("yes") },
        ]
        let facts = Examination(place, definitions).facts()
        #expect(facts.map(\.state) == [.unknown, .good])
        #expect(facts[0].detail?.contains("ms") == true)
    }
}

@Suite struct `A place` {
    @Test func `in a pod is known by its environment`() {
        let place = Place(store: "/s", environment: ["KUBERNETES_SERVICE_HOST": "10.0.0.1"])
        #expect(Container.around(place) == .kubernetes)
        #expect(place.namespaceRemedy.contains("hostUsers: false"))
    }

    @Test(arguments: [
        ("/", "/"), ("/proc/self/nothing/at/all", "/proc/self"), ("relative/thing", "."),
        ("/nonexistent", "/"),
    ])
    func `has a directory that is there above any other`(path: String, existing: String) {
        #expect(Place.existing(path) == existing)
    }

    @Test(arguments: [(0xEF53, "ext4", true), (0x794C_7630, "overlay", false)])
    func `names its file system`(type: Int64, name: String, isLocal: Bool) throws {
        let known = try #require(FileSystemName(type: type))
        #expect(known.name == name && known.isLocal == isLocal)
        #expect(FileSystemName(type: 1) == nil)
    }

    @Test func `reads a field of its own status`() {
        let place = Place(store: "/s", environment: [:])
        #expect(place.ownStatus("CapEff")?.count == 16)
        #expect(place.ownStatus("NoSuchField") == nil)
    }
}
