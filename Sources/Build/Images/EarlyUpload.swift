import HTTP
import Linux
import OCI
import Registry
import Synchronization
import SystemPackage

/// Sends a layer's blob to a registry while it is being packed. A small one is left to be sent when it is whole.
///
/// It succeeds, or it was of no use: whoever needs the blob there then sends it in the usual way, and hears what is wrong.
final class EarlyUpload: Sendable {
    let reference: Reference
    private let growth: Growth
    private let work: Task<Bool, Never>

    /// - Parameter file: the blob's; nobody else's descriptor.
    init(
        of file: SharedDescriptor, to reference: Reference, _ client: RegistryClient,
        _ turns: UploadTurns
    ) {
        let growth = Growth(file)
        self.reference = reference
        self.growth = growth
        work = Task {
            // What is small by then goes up whole, as one that is there already goes not at all.
            guard case .bytes = await growth.of(RegistryClient.growingChunks.lowerBound),
                turns.take(for: reference.registry)
            else { return false }
            defer { turns.giveBack() }
            guard growth.begin() else { return false }
            let blob = GrowingBlob(file: file.borrowed) { await growth.of($0) }
            defer { withExtendedLifetime(file) {} }
            do throws(RegistryError) {
                return try await client.observed(by: growth).uploadGrowingBlob(
                    blob, to: reference.repository)
            } catch {
                if error.refusesChunks { turns.refuse(reference.registry) }
                return false
            }
        }
    }

    /// Says what has been packed; nil where nothing came of it.
    func end(with descriptor: Descriptor?) { growth.end(with: descriptor) }

    func cancel() { work.cancel() }

    /// Whether something is on its way. Known when packing has ended.
    var hasBegun: Bool { growth.hasBegun }

    /// Whether the blob is there, when that is known.
    var hasSucceeded: Bool {
        get async {
            await withTaskCancellationHandler {
                await work.value
            } onCancel: {
                work.cancel()
            }
        }
    }

    var sentBytes: Int { growth.sentBytes }
}

/// Who may send while it is packed: two at a time, and nobody where chunks are refused.
final class UploadTurns: Sendable {
    private static let most = 2
    private let state = Mutex<(running: Int, refusing: Set<String>)>((0, []))

    func take(for registry: String) -> Bool {
        state.withLock { state in
            if state.running == Self.most || state.refusing.contains(registry) { return false }
            state.running += 1
            return true
        }
    }

    func giveBack() { state.withLock { $0.running -= 1 } }

    /// This registry takes no chunks.
    func refuse(_ registry: String) { state.withLock { _ = $0.refusing.insert(registry) } }
}

/// How far a blob is, on disk and on the network.
private final class Growth: TransferObserver {
    private struct Phase {
        /// Nil while the blob grows.
        var outcome: GrowingBlob.Growth?
        /// Whether any of it is sent.
        var hasBegun = false
    }

    private let file: SharedDescriptor
    private let phase = Mutex(Phase())
    private let total = Atomic(0)

    init(_ file: SharedDescriptor) { self.file = file }

    /// False where packing has ended before: then nothing is begun.
    func begin() -> Bool {
        phase.withLock { phase in
            phase.hasBegun = phase.outcome == nil
            return phase.hasBegun
        }
    }

    func end(with descriptor: Descriptor?) {
        phase.withLock { $0.outcome = descriptor.map { .whole($0) } ?? .abandoned }
    }

    var hasBegun: Bool { phase.withLock { $0.hasBegun } }

    /// Waits until the file has `size` bytes. Nobody tells when it grows, so it is looked at 50 times a second.
    func of(_ size: Int64) async -> GrowingBlob.Growth {
        while true {
            if let outcome = phase.withLock({ $0.outcome }) { return outcome }
            if let now = try? file.borrowed.status().size, now >= size { return .bytes(Int64(now)) }
            do { try await Task.sleep(for: .milliseconds(20)) } catch { return .abandoned }
        }
    }

    var sentBytes: Int { total.load(ordering: .relaxed) }

    func requestStarted(_ method: HTTPRequest.Method, _ url: HTTPURL) {}
    func received(_ bytes: Int) {}
    func sent(_ bytes: Int) { total.add(bytes, ordering: .relaxed) }
}
