import OCI
import Store
import Testing

@testable import Build

private func digest(_ number: UInt8) -> Digest {
    Digest(sha256: [UInt8](repeating: number, count: 32))
}

@Suite struct `A plan of a prune` {
    /// Layers 1 and 2 are of records used at 100 and 200; 3 is an image's; 4 is nobody's, made at 150.
    private func inventory() -> PruneInventory {
        var inventory = PruneInventory()
        for number in UInt8(1)...4 {
            let used = Int64([100, 200, 50, 150][Int(number) - 1])
            inventory.blobs[digest(number)] = FileUse(bytes: 1000, used: used)
            inventory.listings[digest(number)] = FileUse(bytes: 10, used: used)
            inventory.trees.append((tree(number, used), 5000))
        }
        for number in UInt8(1)...2 {
            inventory.steps.append(
                .init(
                    key: digest(100 + number),
                    layer: .init(blob: digest(number), diffID: digest(number)),
                    use: FileUse(bytes: 1, used: Int64(number) * 100)))
        }
        inventory.imageBlobs = [digest(3)]
        inventory.imageDiffIDs = [digest(3)]
        return inventory
    }

    private func tree(_ number: UInt8, _ used: Int64, isUsable: Bool = true) -> Store.StoredTree {
        Store.StoredTree(map: "m", diffID: digest(number), used: used, isUsable: isUsable)
    }

    private func kinds(
        _ inventory: PruneInventory, _ change: (inout PruneLimits) -> Void = { _ in }
    ) -> Set<PruneItem.Kind> {
        var limits = PruneLimits()
        change(&limits)
        return Set(PrunePlan(inventory, limits, now: 1000).items.map(\.kind))
    }

    private func layer(_ number: UInt8, _ used: Int64) -> Set<PruneItem.Kind> {
        [.blob(digest(number)), .listing(digest(number)), .tree(tree(number, used))]
    }

    @Test func `takes what nobody needs`() {
        #expect(kinds(inventory()) == layer(4, 150))
    }

    @Test func `takes trees of another boot`() {
        var inventory = inventory()
        inventory.trees.append((tree(3, 60, isUsable: false), 1))
        #expect(kinds(inventory).contains(.tree(tree(3, 60, isUsable: false))))
    }

    @Test func `of all leaves what images need, but their trees`() {
        let all = layer(1, 100).union(layer(2, 200)).union(layer(4, 150)).union([
            .step(digest(101)), .step(digest(102)), .tree(tree(3, 50)),
        ])
        #expect(kinds(inventory()) { $0.takesAll = true } == all)
    }

    @Test func `by age takes the records and trees of that age`() {
        let old = layer(1, 100).union([.step(digest(101)), .tree(tree(3, 50))])
        #expect(kinds(inventory()) { $0.unusedSeconds = 1000 - 120 } == old)
    }

    @Test func `by age leaves a layer that another record still needs`() {
        var inventory = inventory()
        inventory.steps[1].layer = inventory.steps[0].layer
        let taken = kinds(inventory) { $0.unusedSeconds = 1000 - 120 }
        #expect(taken.contains(.step(digest(101))) && !taken.contains(.blob(digest(1))))
    }

    @Test func `by size takes the oldest until it is enough`() {
        // Without 4 there are 17,022 bytes; the image's tree, made at 50, is the first to go.
        #expect(
            kinds(inventory()) { $0.keptBytes = 13_000 }
                == layer(4, 150).union([.tree(tree(3, 50))]))
        #expect(
            kinds(inventory()) { $0.keptBytes = 11_500 }.isSuperset(
                of: [.step(digest(101)), .blob(digest(1))]))
        #expect(!kinds(inventory()) { $0.keptBytes = 6100 }.contains(.step(digest(102))))
        #expect(kinds(inventory()) { $0.keptBytes = 0 }.contains(.step(digest(102))))
    }

    @Test(arguments: [Int64(0), 120, 160, 1001])
    func `takes nothing that was used since the oldest visit began`(start: Int64) {
        var inventory = inventory()
        inventory.oldestVisit = start
        for change: (inout PruneLimits) -> Void in [
            { $0.takesAll = true }, { $0.keptBytes = 0 }, { $0.unusedSeconds = 0 },
        ] {
            var limits = PruneLimits()
            change(&limits)
            let plan = PrunePlan(inventory, limits, now: 1000)
            #expect(plan.items.allSatisfy { $0.used < start })
            #expect(plan.items.isEmpty == (start == 0))
        }
    }
}
