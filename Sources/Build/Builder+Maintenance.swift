import Linux
import Store

extension Builder {
    /// Removes what no image and no step needs; with `all`, what steps gave and all unpacked trees, too.
    ///
    /// - Throws: `BuildError`, also while another process is in the store.
    public func prune(all: Bool) async throws -> StorePrune.Freed {
        try await described {
            let lock = try store.enterAlone()
            defer { withExtendedLifetime(lock) {} }
            let freed = try StorePrune(store).runAlone(all: all)
            if all, try store.hasTrees() {
                // Trees belong to subordinate ids, and go only where these are mapped.
                let worker = WorkerClient(store: store, packingThreads: 1)
                _ = try await worker.ask(.removeTrees)
                await worker.finish()
            }
            return freed
        }
    }

    /// Reads every blob and record, and says what is wrong with each.
    ///
    /// - Throws: `BuildError`.
    public func check() async throws -> [StoreProblem] {
        try await described { try await StoreCheck(store).problems(jobs: Host.processorCount) }
    }
}
