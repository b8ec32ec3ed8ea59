import Linux
import Store

extension Builder {
    /// What a prune would remove.
    ///
    /// - Throws: `BuildError`.
    public func previewPrune(_ limits: PruneLimits) async throws -> [PruneItem] {
        try await described { try StorePrune(store).preview(limits) }
    }

    /// Removes what `limits` allow. Builds may go on meanwhile.
    ///
    /// - Throws: `BuildError`.
    public func prune(_ limits: PruneLimits) async throws -> StorePrune.Freed {
        try await described {
            let freed = try StorePrune(store).run(limits)
            if freed.trees > 0 {
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

    /// Removes what a check found damaged, and the names of images that can't be described without it.
    ///
    /// - Returns: these names.
    /// - Throws: `BuildError`, also while another process is in the store.
    public func mend(_ problems: [StoreProblem]) async throws -> [String] {
        try await described { try StoreCheck(store).mend(problems) }
    }
}
