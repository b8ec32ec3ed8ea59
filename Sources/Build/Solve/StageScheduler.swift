import Linux

/// Builds the stages of all plans, those that do not need each other at the same time.
struct StageScheduler: Sendable {
    let session: BuildSession

    /// A stage of one platform's plan.
    private struct Place: Hashable {
        var plan, stage: Int
    }

    /// The state of every stage of each plan, in the order of the plans. When one fails, the others are cancelled and waited for.
    func solveAll() async throws -> [[Int: StageState]] {
        var finished = session.plans.map { _ in [Int: StageState]() }
        // In the order of the file, so that one job builds as one would read.
        var waiting = session.plans.enumerated().flatMap { number, plan in
            plan.stages.keys.sorted().map { Place(plan: number, stage: $0) }
        }
        let most = max(1, session.request.jobs ?? Host.processorCount)
        try await withThrowingTaskGroup(of: (Place, StageState).self) { group in
            var running = 0
            while running > 0 || !waiting.isEmpty {
                while running < most,
                    let next = waiting.firstIndex(where: { place in
                        needs(of: place).isSubset(of: finished[place.plan].keys)
                    })
                {
                    let place = waiting.remove(at: next)
                    let (plan, needed) = (session.plans[place.plan], finished[place.plan])
                    let session = session
                    group.addTask {
                        let planned = plan.stages[place.stage]!
                        return (
                            place,
                            try await StageSolver.solve(planned, of: plan, needed, in: session)
                        )
                    }
                    running += 1
                }
                guard let (place, state) = try await group.next() else { break }
                finished[place.plan][place.stage] = state
                running -= 1
            }
        }
        return finished
    }

    private func needs(of place: Place) -> Set<Int> {
        session.plans[place.plan].stages[place.stage]!.dependencies
    }
}
