import Glibc
import Testing

@testable import Layers

/// A generator that gives the same numbers each time.
private struct Numbers: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return state ^ (state >> 29)
    }
}

@Suite struct `Looking up paths` {
    private static let deep = [UInt8](repeatElement("d/", count: 1000).joined().utf8)

    private static func directory(_ depth: Int) -> TreePath {
        TreePath(deep.prefix(2 * depth))!
    }

    /// A lower layer that has all of the directories, and an upper one that has the first half of them.
    private static func stack(_ depth: Int) throws -> LayerStack {
        var stack = LayerStack()
        for count in [depth, depth / 2] {
            var builder = ListingBuilder()
            for level in 1...count {
                var entry = ListingEntry(kind: .directory, permissions: 0o700)
                entry.isImplied = count < depth
                builder[directory(level)] = entry
            }
            stack.push(try listing(builder))
        }
        return stack
    }

    /// Seconds of this thread on a processor: other programs don't count.
    private static func time(_ body: () -> Void) -> Double {
        func now() -> Double {
            var time = timespec()
            clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
            return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
        }
        let start = now()
        body()
        return now() - start
    }

    /// How often what takes a quarter of the depth can be done while the whole depth is done once, by the best times of each. A
    /// processor may be slower from one moment to the next: they take turns, and go on where it seems to have been.
    private static func ratio(_ body: (_ depth: Int) -> Void) -> Double {
        var (quarter, whole) = (Double.infinity, Double.infinity)
        for round in 1...100 where round <= 8 || whole > quarter * limit {
            quarter = min(quarter, time { body(250) })
            whole = min(whole, time { body(1000) })
        }
        return whole / quarter
    }

    /// Paths of four times the depth are four times the bytes. A search of all directories above each would take sixteen times as
    /// long.
    private static let limit = 8.0

    /// Some of the levels, the deepest among them.
    private static func levels(_ depth: Int) -> StrideThrough<Int> {
        stride(from: depth / 25, through: depth, by: depth / 25)
    }

    @Test func `of deep directories takes as long as their names`() throws {
        let stacks = [250: try Self.stack(250), 1000: try Self.stack(1000)]
        let ratio = Self.ratio { depth in
            for level in Self.levels(depth) {
                #expect(stacks[depth]!.lookup(Self.directory(level))?.layer == 0)
            }
        }
        #expect(ratio < Self.limit)
    }

    @Test func `through links of a layer takes as long as their names`() {
        var links = LinkTable()
        links.set(Array("elsewhere".utf8), at: TreePath(Self.deep + Array("link".utf8))!)
        let ratio = Self.ratio { depth in
            for level in Self.levels(depth) {
                let path = Self.directory(level)
                #expect(links.follow(path) == path)
            }
        }
        #expect(ratio < Self.limit)
    }

    // MARK: - The same answers as by the long way

    /// What `LayerStack.lookup` means: each layer is asked for the path and for all directories above it.
    private static func slowLookup(_ path: TreePath, in stack: LayerStack) -> Int? {
        var implied: Int?
        for (index, listing) in stack.listings.enumerated().reversed() {
            if let entry = listing.entry(at: path) {
                if entry.kind == .whiteout || (implied != nil && entry.kind != .directory) {
                    return implied
                }
                if !entry.isImplied { return index }
                implied = implied ?? index
                if entry.isOpaque { return implied }
            }
            var next = path.parent
            while let above = next {
                if let entry = listing.entry(at: above), entry.kind != .directory || entry.isOpaque
                {
                    return implied
                }
                next = above.parent
            }
        }
        return implied
    }

    private static let names = ["a", "b", "a-b", "ab"]

    private static func randomPath(_ numbers: inout Numbers) -> TreePath {
        let count = Int.random(in: 0...4, using: &numbers)
        let words = (0..<count).map { _ in names.randomElement(using: &numbers)! }
        return TreePath(words.joined(separator: "/").utf8)!
    }

    @Test func `finds what a search of every directory above finds`() throws {
        var numbers = Numbers(state: 7)
        for _ in 0..<60 {
            var stack = LayerStack()
            for _ in 0..<Int.random(in: 1...4, using: &numbers) {
                var builder = ListingBuilder()
                for _ in 0..<Int.random(in: 0...12, using: &numbers) {
                    let path = Self.randomPath(&numbers)
                    let kinds: [ListingEntry.Kind] = [.directory, .directory, .file, .whiteout]
                    var entry = ListingEntry(
                        kind: path.isRoot ? .directory : kinds.randomElement(using: &numbers)!)
                    entry.isOpaque =
                        entry.kind == .directory && UInt8.random(in: 0..<6, using: &numbers) == 0
                    // Now and then as no layer lists it: without the directories above.
                    if Bool.random(using: &numbers) { builder.implyDirectories(above: path) }
                    builder[path] = entry
                }
                stack.push(try listing(builder))
            }
            for _ in 0..<100 {
                let path = Self.randomPath(&numbers)
                #expect(stack.lookup(path)?.layer == Self.slowLookup(path, in: stack), "\(path)")
            }
        }
    }

    @Test func `follows links as the walk over whole paths does`() {
        var numbers = Numbers(state: 11)
        for _ in 0..<200 {
            var table = LinkTable()
            var links: [TreePath: [UInt8]] = [:]
            for _ in 0..<Int.random(in: 0...6, using: &numbers) {
                let path = Self.randomPath(&numbers)
                if path.isRoot { continue }
                let targets = ["/", "..", "../a", "a/b", "/b/a-b", "ab/../b", "./a", "../../../b"]
                let target =
                    Bool.random(using: &numbers)
                    ? Array(targets.randomElement(using: &numbers)!.utf8) : nil
                table.set(target, at: path)
                links[path] = target
            }
            for _ in 0..<50 {
                let path = Self.randomPath(&numbers)
                let walk = LinkWalk(path.components, followingLast: false) { path in
                    links[path].map { .link($0) } ?? .directory
                }
                #expect(
                    table.follow(path) == (walk.problem == nil ? walk.path : nil),
                    "\(path) \(links)")
            }
        }
    }
}
