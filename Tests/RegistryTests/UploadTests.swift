import Glibc
import HTTP
import OCI
import Synchronization
import TestSupport
import Testing

@testable import Registry

@Suite struct `An upload over a bad network` {
    /// Takes chunks, and breaks the connection in the middle of some.
    private final class Receiver: Sendable {
        struct State {
            var bytes: [UInt8] = []
            var chunks = 0
            var breaks = 0
            var sessions = 0
            var random = SplitMix(seed: 1)
        }
        let state = Mutex(State())
        let keepsParts: Bool

        init(keepsParts: Bool) { self.keepsParts = keepsParts }

        /// Twenty times, at some place of a chunk.
        func cut(_ request: ScriptedServer.Request) -> Int? {
            guard request.method == "PATCH" else { return nil }
            let length = Int(request.headers["content-length"] ?? "") ?? 0
            return state.withLock { state in
                // Every other chunk: nobody tries for ever where nothing arrives.
                state.chunks += 1
                guard state.breaks < 20, !state.chunks.isMultiple(of: 2) else { return nil }
                state.breaks += 1
                return Int.random(in: 0..<length, using: &state.random)
            }
        }

        func answer(_ request: ScriptedServer.Request) -> [ScriptedServer.Step] {
            state.withLock { state in
                let place = ["Location": "/session", "Range": "0-\(max(0, state.bytes.count - 1))"]
                switch request.method {
                case "POST":
                    state.sessions += 1
                    return [.answer(202, place)]
                case "GET": return [.answer(204, place)]
                case "HEAD": return [.answer(404)]
                case "PUT": return [.answer(201)]
                default:
                    guard
                        request.headers["content-range"]?.hasPrefix("\(state.bytes.count)-") == true
                    else { return [.answer(416)] }
                    let isWhole = request.headers["content-length"] == "\(request.body.count)"
                    if isWhole || keepsParts { state.bytes += request.body }
                    return [
                        .answer(
                            202, ["Location": "/session", "Range": "0-\(state.bytes.count - 1)"])
                    ]
                }
            }
        }
    }

    @Test(arguments: [true, false])
    func `that breaks twenty times sends a tenth more at most`(keepsParts: Bool) async throws {
        let megabyte = TestBlob.noise(1 << 20)
        var bytes: [UInt8] = []
        for _ in 0..<48 { bytes += megabyte }
        let blob = try TestBlob(bytes)
        let receiver = Receiver(keepsParts: keepsParts)
        let server = try ScriptedServer(cutting: { receiver.cut($0) }) { receiver.answer($0) }
        let traffic = Traffic()
        let client = try RegistryClient(
            server.host, http: HTTPClient(), options: .impatient, observer: traffic)
        try await client.uploadBlob(blob.descriptor, from: blob.file, to: "a")
        let state = receiver.state.withLock { $0 }
        #expect(state.bytes.count == blob.bytes.count)
        // In a debug build == takes its time with so many.
        #expect(state.bytes.withUnsafeBytes { memcmp($0.baseAddress!, blob.bytes, $0.count) } == 0)
        #expect(state.breaks == 20)
        #expect(state.sessions == 1)
        #expect(traffic.totals.sent <= blob.bytes.count * 11 / 10)
    }

    @Test func `goes whole to a registry that takes no chunks`() async throws {
        let blob = try TestBlob(
            [UInt8](repeating: 7, count: Int(ChunkSizes.largestWhole) + 1))
        let received = Mutex(0)
        let server = try ScriptedServer { request in
            switch request.method {
            case "POST": return [.answer(202, ["Location": "/session"])]
            case "PUT":
                received.withLock { $0 = request.body.count }
                return [.answer(201)]
            default: return [.answer(405)]
            }
        }
        let client = try RegistryClient(server.host, http: HTTPClient(), options: .impatient)
        try await client.uploadBlob(blob.descriptor, from: blob.file, to: "a")
        #expect(received.withLock { $0 } == blob.bytes.count)
        #expect(server.requests.map(\.method) == ["POST", "PATCH", "POST", "PUT"])
    }

    @Test func `heeds the chunks that the registry wants`() async throws {
        let blob = try TestBlob([UInt8](repeating: 7, count: 6 << 20))
        let server = try ScriptedServer { request in
            request.method == "PUT"
                ? [.answer(201)]
                : [
                    .answer(
                        202, ["Location": "/session", "OCI-Chunk-Min-Length": "\(5 << 20)"])
                ]
        }
        let client = try RegistryClient(server.host, http: HTTPClient(), options: .impatient)
        try await client.uploadBlob(blob.descriptor, from: blob.file, to: "a")
        #expect(
            server.requests.map { $0.headers["content-range"] } == [
                nil, "0-5242879", "5242880-6291455", nil,
            ])
    }

    @Test(
        .enabled(if: LocalRegistry.isExpected, "this machine has no docker-registry"))
    func `in chunks is put together by a real registry`() async throws {
        let registry = try LocalRegistry()
        let blob = try TestBlob(TestBlob.noise(5 << 20))
        let traffic = Traffic()
        let client = try RegistryClient(
            registry.host, http: HTTPClient(), options: .impatient, observer: traffic)
        try await client.pushBlob(blob.descriptor, from: blob.file, to: "a")
        #expect(traffic.totals.requests.count { $0 == "PATCH" } == 5)
        let collector = Collector()
        try await client.pullBlob(blob.descriptor, from: "a") { collector.take($0) }
        #expect(collector.bytes == blob.bytes)
    }

    @Test(
        .enabled(if: LocalRegistry.isExpected, "this machine has no docker-registry"))
    func `reaches a real registry, which forgets what a break has cut`() async throws {
        let registry = try LocalRegistry()
        let size = 12 << 20
        let proxy = try CuttingProxy(to: registry.port, cuts: [2_500_000, 9_000_000, 20_000_000])
        let blob = try TestBlob(TestBlob.noise(size))
        let client = try RegistryClient(proxy.host, http: HTTPClient(), options: .impatient)
        try await client.uploadBlob(blob.descriptor, from: blob.file, to: "a")
        #expect(proxy.cutsLeft == 0)
        let direct = try RegistryClient(registry.host, http: HTTPClient())
        #expect(try await direct.findBlob(blob.descriptor.digest, in: "a") == Int64(size))
    }

    @Test func `has chunks whose breaks cost less than a tenth`() {
        for size in stride(from: Int64(40 << 20), through: 40 << 30, by: 777 << 20) {
            var sizes = ChunkSizes(.automatic, blob: size)!
            var lost: Int64 = 0
            for _ in 0..<20 {
                lost += sizes.next
                sizes.broke()
            }
            #expect(lost * 10 <= size)
        }
        #expect(ChunkSizes(.automatic, blob: 4 << 20) == nil)
        #expect(ChunkSizes(.whole, blob: 1 << 40) == nil)
    }
}
