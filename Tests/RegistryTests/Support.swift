import HTTP
import OCI
import Registry
import Synchronization
import SystemPackage
import TestSupport
import Testing

/// Content with its descriptor, in an open file.
final class TestBlob: Sendable {
    let bytes: [UInt8]
    let descriptor: Descriptor
    let file: FileDescriptor
    private let directory: TemporaryDirectory

    init(_ bytes: some Sequence<UInt8>, _ mediaType: MediaType = .layer) throws {
        // Copying what is an array already takes seconds in a debug build.
        self.bytes = bytes as? [UInt8] ?? Array(bytes)
        directory = try TemporaryDirectory()
        let path = try directory.write("blob", self.bytes)
        file = try FileDescriptor.open(FilePath(path), .readOnly)
        descriptor = Descriptor(
            mediaType: mediaType, digest: try Self.digest(of: path), size: Int64(self.bytes.count))
    }

    deinit { try? file.close() }  // it was only read

    /// `count` bytes that no compression shortens and no two seeds share.
    static func noise(_ count: Int, seed: UInt64 = 1) -> [UInt8] {
        var state = seed &* 0x9e37_79b9_7f4a_7c15 | 1
        // Eight bytes a turn: a debug build takes its time.
        let words = (0..<(count + 7) / 8).map { _ in
            state ^= state << 13
            state ^= state >> 7
            state ^= state << 17
            return state
        }
        return words.withUnsafeBytes { Array($0.prefix(count)) }
    }

    /// By coreutils: a second opinion.
    private static func digest(of path: String) throws -> Digest {
        let output = try Program.output(["/usr/bin/sha256sum", path])
        return try #require(Digest(hex: output.prefix(64)))
    }
}

/// Collects what a pull hands out.
final class Collector: Sendable {
    private let content = Mutex<[UInt8]>([])
    var bytes: [UInt8] { content.withLock { $0 } }
    func take(_ bytes: UnsafeRawBufferPointer) {
        content.withLock { $0.append(contentsOf: bytes) }
    }
}

/// Requests by method, and the bytes of bodies.
final class Traffic: TransferObserver {
    struct Totals: Equatable {
        var requests: [String] = []
        var received = 0
        var sent = 0
    }
    private let state = Mutex(Totals())
    var totals: Totals { state.withLock { $0 } }
    func requestStarted(_ method: HTTPRequest.Method, _ url: HTTPURL) {
        state.withLock { $0.requests.append(method.rawValue) }
    }
    func received(_ bytes: Int) { state.withLock { $0.received += bytes } }
    func sent(_ bytes: Int) { state.withLock { $0.sent += bytes } }
}

/// Has one header, and remembers what it was asked.
final class FixedAuthorizer: Authorizer {
    let header: String
    private let seen = Mutex<(challenges: [Challenge], access: [RegistryAccess])>(([], []))
    init(_ header: String) { self.header = header }
    var challenges: [Challenge] { seen.withLock { $0.challenges } }
    var access: [RegistryAccess] { seen.withLock { $0.access } }

    func authorization(for access: RegistryAccess) async throws -> String? {
        seen.withLock { $0.access.append(access) }
        return header
    }

    func authorization(
        answering challenges: [Challenge], refused: String?, for access: RegistryAccess
    ) async throws -> String? {
        seen.withLock { $0.challenges += challenges }
        return nil
    }

    func credentialSource(for access: RegistryAccess) async -> String? { nil }
}

extension RegistryOptions {
    /// Tries again, without the pauses.
    static var impatient: RegistryOptions {
        var options = RegistryOptions()
        options.retries.firstPause = .milliseconds(1)
        return options
    }
}

/// Runs what must fail, and gives the error.
func failure<Value>(_ body: () async throws(RegistryError) -> Value) async -> RegistryError? {
    do throws(RegistryError) {
        _ = try await body()
        return nil
    } catch {
        return error
    }
}
