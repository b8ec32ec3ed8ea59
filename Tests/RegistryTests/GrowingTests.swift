import HTTP
import OCI
import Synchronization
import TestSupport
import Testing

@testable import Registry

@Suite struct `A blob that is still being written` {
    /// Says how far the blob is, one word after another, and what was waited for.
    private final class Script: Sendable {
        private let state: Mutex<(words: ArraySlice<GrowingBlob.Growth>, waits: [Int64])>

        init(_ words: [GrowingBlob.Growth]) { state = Mutex((words[...], [])) }

        var waits: [Int64] { state.withLock { $0.waits } }

        func next(_ size: Int64) -> GrowingBlob.Growth {
            state.withLock { state in
                state.waits.append(size)
                return state.words.popFirst() ?? .abandoned
            }
        }
    }

    private static let chunk = RegistryClient.growingChunks.lowerBound

    @Test(.enabled(if: LocalRegistry.isExpected, "this machine has no docker-registry"))
    func `goes up piece by piece`() async throws {
        let server = try LocalRegistry()
        let traffic = Traffic()
        let client = try RegistryClient(
            server.host, http: HTTPClient(), options: .impatient, observer: traffic)
        let blob = try TestBlob(TestBlob.noise(Int(Self.chunk) * 2 + 12345))
        let script = Script([
            .bytes(Self.chunk), .bytes(Self.chunk * 2 + 345), .whole(blob.descriptor),
        ])
        let isThere = try await client.uploadGrowingBlob(
            GrowingBlob(file: blob.file) { script.next($0) }, to: "a/b")
        #expect(isThere)
        #expect(script.waits == [Self.chunk, Self.chunk * 2, Self.chunk * 3 + 345])
        #expect(traffic.totals.requests == ["POST", "PATCH", "PATCH", "PUT"])
        #expect(traffic.totals.sent == blob.bytes.count)
        let collector = Collector()
        try await client.pullBlob(blob.descriptor, from: "a/b") { collector.take($0) }
        #expect(collector.bytes.elementsEqual(blob.bytes))
    }

    @Test(.enabled(if: LocalRegistry.isExpected, "this machine has no docker-registry"))
    func `and is given up leaves nothing`() async throws {
        let server = try LocalRegistry()
        let traffic = Traffic()
        let client = try RegistryClient(
            server.host, http: HTTPClient(), options: .impatient, observer: traffic)
        let blob = try TestBlob(TestBlob.noise(Int(Self.chunk)))
        let script = Script([.bytes(Self.chunk), .abandoned])
        let isThere = try await client.uploadGrowingBlob(
            GrowingBlob(file: blob.file) { script.next($0) }, to: "a/b")
        #expect(!isThere)
        #expect(traffic.totals.requests == ["POST", "PATCH", "DELETE"])
        #expect(try await client.findBlob(blob.descriptor.digest, in: "a/b") == nil)
    }

    /// What is sent in the usual way afterwards.
    @Test func `fails at once where a chunk is refused`() async throws {
        let server = try ScriptedServer { request in
            request.method == "POST"
                ? [.answer(202, ["Location": "/session"])] : [.answer(405)]
        }
        let client = try RegistryClient(server.host, http: HTTPClient(), options: .impatient)
        let blob = try TestBlob([UInt8](repeating: 7, count: Int(Self.chunk)))
        let script = Script([.bytes(Self.chunk), .whole(blob.descriptor)])
        let error = await failure { () throws(RegistryError) in
            try await client.uploadGrowingBlob(
                GrowingBlob(file: blob.file) { script.next($0) }, to: "a")
        }
        #expect(error?.refusesChunks == true)
        #expect(server.requests.map(\.method) == ["POST", "PATCH"])
    }

    @Test func `heeds the chunks that the registry wants`() async throws {
        let server = try ScriptedServer { request in
            request.method == "PUT"
                ? [.answer(201)]
                : [
                    .answer(
                        202,
                        ["Location": "/session", "OCI-Chunk-Min-Length": "\(Self.chunk + 1000)"])
                ]
        }
        let client = try RegistryClient(server.host, http: HTTPClient(), options: .impatient)
        let blob = try TestBlob([UInt8](repeating: 7, count: Int(Self.chunk) + 2000))
        let script = Script([.bytes(Self.chunk + 1000), .whole(blob.descriptor)])
        _ = try await client.uploadGrowingBlob(
            GrowingBlob(file: blob.file) { script.next($0) }, to: "a")
        #expect(script.waits.first == Self.chunk + 1000)
        #expect(
            server.requests.map { $0.headers["content-range"] } == [
                nil, "0-\(Self.chunk + 999)", nil,
            ])
    }
}
