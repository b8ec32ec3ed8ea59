import Linux

/// Builds the stages of a plan, those that do not need each other at the same time.
struct StageScheduler: Sendable {
    let session: BuildSession

    /// The state of every stage that the plan has. When one fails, the others are cancelled and waited for.
    func solveAll() async throws -> [Int: StageState] {
        var finished: [Int: StageState] = [:]
        var waiting = session.plan.stages.keys.sorted()
        let most = max(1, session.request.jobs ?? Host.processorCount)
        try await withThrowingTaskGroup(of: (Int, StageState).self) { group in
            var running = 0
            while finished.count < session.plan.stages.count {
                // In the order of the file, so that one job builds as one would read.
                while running < most,
                    let next = waiting.firstIndex(where: {
                        dependencies($0).isSubset(of: finished.keys)
                    })
                {
                    let index = waiting.remove(at: next)
                    let planned = session.plan.stages[index]!
                    let needed = finished
                    let session = session
                    group.addTask {
                        (index, try await StageSolver.solve(planned, needed, in: session))
                    }
                    running += 1
                }
                guard let (index, state) = try await group.next() else { break }
                finished[index] = state
                running -= 1
            }
        }
        return finished
    }

    private func dependencies(_ index: Int) -> Set<Int> { session.plan.stages[index]!.dependencies }
}
