import Layers
import Linux
import Store

extension WorkerServer {
    /// Makes a layer of files of another stage, read from its trees.
    func copy(_ order: CopyOrder, into blob: SharedDescriptor) throws -> PackedLayer? {
        let from = try trees.trees(of: order.from, uppers)
        let parent = try trees.trees(of: order.parent, uppers)
        let source = StackSource(from.stack, trees: from.descriptors)
        let patterns = try CopyPatterns(
            order.sources, keepsParents: order.keepsParents, excludes: order.excludes)
        let selection = try CopySelection(
            patterns.words, in: source, excludes: patterns.excludes)
        let selections = [selection] + order.texts.map { $0.selection(now: order.now) }
        var attributes = LayerComposer.Attributes()
        if let uid = order.uid, let gid = order.gid { attributes.owner = .init(uid: uid, gid: gid) }
        attributes.mode = order.mode.flatMap { ModeChange($0) }
        var listing = ListingBuilder()
        let packed = try packLayer(into: blob) { tar in
            var composer = LayerComposer(
                parent: parent.stack, to: tar, latest: order.latest, now: order.now)
            try composer.copy(
                selections, to: order.destination, workingDirectory: order.workingDirectory,
                attributes)
            listing = try composer.finish()
        }
        withExtendedLifetime((from, parent)) {}
        if listing.count == 0 { return nil }
        try store.keepListing(listing.encoded(), of: packed.record.diffID)
        return packed
    }
}
