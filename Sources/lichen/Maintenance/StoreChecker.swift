import Archive
import Linux
import OCI
import Store
import SystemPackage

/// Reads everything in a store that can be verified.
struct StoreChecker {
    /// What was found.
    struct Findings: Equatable {
        /// One line each, with the file's path in the store.
        var problems: [String] = []
        var files = 0
    }

    let store: Store

    /// Every blob's digest, every record, every listing, and that each named image has its documents. A layer that is not here is
    /// no problem: it is fetched when a step needs it.
    func check() throws -> Findings {
        let lock = try store.enter()
        defer { withExtendedLifetime(lock) {} }
        var findings = Findings()
        try checkBlobs(&findings)
        try checkRecords(&findings)
        for image in try store.images() {
            findings.files += 1
            do { _ = try store.stored(image.manifest.digest) } catch {
                findings.problems.append("index.json: \(image.name): \(error)")
            }
        }
        return findings
    }

    private func checkBlobs(_ findings: inout Findings) throws {
        var chunk = [UInt8](repeating: 0, count: 1 << 20)
        for (digest, _) in try store.allBlobs() {
            findings.files += 1
            guard let actual = try content(of: digest, &chunk) else { continue }
            if actual != digest {
                findings.problems.append("blobs/sha256/\(digest.hex): its content has \(actual)")
            }
        }
    }

    /// The digest of what a blob really holds; nil if it went away meanwhile.
    private func content(of digest: Digest, _ chunk: inout [UInt8]) throws -> Digest? {
        guard let file = try store.blob(digest) else { return nil }
        var hash = SHA256()
        while true {
            try Task.checkCancellation()
            let count = try chunk.withUnsafeMutableBytes { buffer in
                let count = try file.borrowed.readOnce(into: buffer)
                hash.update(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
                return count
            }
            if count == 0 { return Digest(sha256: hash.finish()) }
        }
    }

    private func checkRecords(_ findings: inout Findings) throws {
        for (key, record) in try store.allSteps() {
            findings.files += 1
            if record == nil {
                findings.problems.append("steps/\(key.hex): it can't be read, or its layer is gone")
            }
        }
        for diffID in try store.allListings() {
            findings.files += 1
            do { _ = try store.listing(diffID) } catch {
                findings.problems.append("listings/\(diffID.hex): \(error)")
            }
        }
    }
}
