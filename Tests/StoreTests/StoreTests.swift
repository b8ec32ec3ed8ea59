import Glibc
import Linux
import OCI
import Store
import SystemPackage
import Testing

@Suite struct `A store` {
    let scratch = Scratch()

    @Test func `is made for its user alone, and is an OCI layout`() throws {
        _ = try scratch.store()
        let status = try FileDescriptor.workingDirectory.status(of: scratch.storePath.utf8)
        #expect(status.permissions == 0o700)
        #expect(try scratch.names("").contains("oci-layout"))
        #expect(try scratch.names("blobs") == ["sha256"])
    }

    @Test(arguments: [0o755, 0o770, 0o701])
    func `that others may enter is refused`(mode: UInt32) throws {
        _ = try scratch.store()
        try FileDescriptor.workingDirectory.setPermissions(scratch.storePath.utf8, mode)
        let error = #expect(throws: StoreError.self) { try scratch.store() }
        #expect(error?.hint == "chmod 700 \(scratch.storePath)")
    }

    @Test func `of a newer Lichen is refused, and left as it is`() throws {
        _ = try scratch.store()
        try scratch.write("\(Store.version + 1)\n", to: "version")
        let error = #expect(throws: StoreError.self) { try scratch.store() }
        #expect(error?.problem == .newerVersion("\(Store.version + 1)"))
    }

    @Test(arguments: ["", "one", "1.5\n"])
    func `whose version makes no sense is refused`(text: String) throws {
        _ = try scratch.store()
        try scratch.write(text, to: "version")
        #expect(throws: StoreError.self) { try scratch.store() }
    }

    @Test func `lets many in, and one alone`() throws {
        let store = try scratch.store()
        do {
            let first = try store.enter()
            let second = try scratch.store().enter()
            #expect(throws: StoreError(.busy, hint: "try again when it has ended")) {
                _ = try store.enterAlone()
            }
            _ = consume first
            _ = consume second
        }
        // Whoever comes meanwhile waits.
        let alone = try store.enterAlone()
        let other = try FileDescriptor.workingDirectory.open(
            "\(scratch.storePath)/lock", .readWrite, resolve: .system)
        #expect(try FileLock.attempt(other, .exclusive) == nil)
        _ = consume alone
        _ = try store.enter()
    }

    @Test func `forgets the visit of a process that died`() async throws {
        let path = scratch.storePath
        let store = try scratch.store()
        await #expect(processExitsWith: .signal(SIGKILL)) { [path = path as String] in
            let visit = try Store(path: path).enter()
            kill(getpid(), SIGKILL)
            _ = consume visit
        }
        #expect(try scratch.names("visits").count == 1)
        _ = try store.enterAlone()
        #expect(try scratch.names("visits") == [])
    }

    @Test func `marks what a visitor finds, and never sets a mark back`() throws {
        let store = try scratch.store()
        try store.keepBlob("one")
        try setTime(of: "one", to: 5)
        _ = try store.size(ofBlob: digest(of: "one"))
        #expect(try store.use(ofBlob: digest(of: "one"))?.used == 5)
        let before = wallClockSeconds()
        let visit = try store.enter()
        _ = try store.size(ofBlob: digest(of: "one"))
        let marked = try #require(try store.use(ofBlob: digest(of: "one"))?.used)
        #expect(marked >= before)
        try setTime(of: "one", to: marked + 1000)
        _ = try store.blob(digest(of: "one"))
        try store.keepBlob("one")
        #expect(try store.use(ofBlob: digest(of: "one"))?.used == marked + 1000)
        _ = consume visit
    }

    private func setTime(of blob: String, to seconds: Int64) throws {
        try FileDescriptor.workingDirectory.setTimes(
            "\(scratch.storePath)/blobs/sha256/\(digest(of: blob).hex)".utf8,
            FileTime(seconds: seconds))
    }

    @Test func `sweeps the work of the dead, not that of the living`() throws {
        let store = try scratch.store()
        let living = try store.newWorkArea()
        do {
            let dead = try store.newWorkArea()
            try dead.directory.borrowed.makeDirectory("tree".utf8, mode: 0o500)
        }
        #expect(try scratch.names("work").count == 2)
        store.sweep()
        #expect(try scratch.names("work").count == 1)
        try living.remove()
        #expect(try scratch.names("work") == [])
        #expect(try scratch.names("visits") == [])
    }

    @Test func `sweeps what a killed process left`() async throws {
        let path = scratch.storePath
        _ = try scratch.store()
        await #expect(processExitsWith: .signal(SIGKILL)) { [path = path as String] in
            let store = try Store(path: path)
            let area = try store.newWorkArea()
            let blob = try store.newBlob()
            kill(getpid(), SIGKILL)
            _ = blob.file.raw
            try area.remove()
        }
        // The area alone: the blob had no name yet.
        #expect(try scratch.names("work").count == 1)
        try scratch.store().sweep()
        #expect(try scratch.names("work").isEmpty)
    }
}

@Suite struct `The images of a store` {
    let scratch = Scratch()

    @Test func `are named, renamed and forgotten`() throws {
        let store = try scratch.store()
        #expect(try store.images().isEmpty)
        try store.setImage("a", to: descriptor(of: "one", .manifest))
        try store.setImage("b", to: descriptor(of: "one", .manifest))
        try store.setImage("a", to: descriptor(of: "two", .manifest))
        #expect(try store.image("a")?.digest == digest(of: "two"))
        #expect(try store.image("b")?.digest == digest(of: "one"))
        #expect(try store.removeImage("a"))
        #expect(try !store.removeImage("a"))
        #expect(try store.images().map(\.name) == ["b"])
    }

    @Test func `are all there when many name theirs at once`() async throws {
        let path = scratch.storePath
        try await withThrowingTaskGroup(of: Void.self) { group in
            for writer in 0..<8 {
                group.addTask {
                    try await blocking {
                        let store = try Store(path: path)
                        for image in 0..<10 {
                            try store.setImage(
                                "image-\(writer)-\(image)", to: descriptor(of: "x", .manifest))
                        }
                    }
                }
            }
            try await group.waitForAll()
        }
        #expect(Set(try scratch.store().images().map(\.name)).count == 80)
    }

    @Test func `are all there when two processes name theirs at once`() async throws {
        let path = scratch.storePath
        await withTaskGroup(of: Void.self) { group in
            for writer in 0..<2 {
                group.addTask {
                    await #expect(processExitsWith: .success) {
                        [path = path as String, writer = writer as Int] in
                        let store = try Store(path: path)
                        for image in 0..<40 {
                            try store.setImage(
                                "image-\(writer)-\(image)", to: descriptor(of: "x", .manifest))
                        }
                    }
                }
            }
        }
        #expect(try scratch.store().images().count == 80)
    }

    @Test func `can't be read from a damaged index, and that is said`() throws {
        let store = try scratch.store()
        try scratch.write("{", to: "index.json")
        #expect(throws: StoreError(.damaged("index.json can't be read"))) { try store.images() }
        #expect(throws: StoreError.self) {
            try store.setImage("a", to: descriptor(of: "x", .manifest))
        }
    }
}
