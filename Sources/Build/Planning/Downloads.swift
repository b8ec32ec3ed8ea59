import Dockerfile
import OCI
import Store

/// Which blobs of bases a build would fetch: those that a step needs which the store can't answer.
struct Downloads {
    let session: BuildSession
    let plan: Plan
    /// By the index of the stage.
    let outlooks: [Int: [Forecast.Outlook]]

    /// What a step needs of the layers below it.
    private enum Need: Int, Comparable {
        /// Their listings: where a file goes is decided without a tree.
        case listings
        /// Their files.
        case trees

        static func < (left: Need, right: Need) -> Bool { left.rawValue < right.rawValue }
    }

    func all() async throws -> [Forecast.Download] {
        var downloads: [Forecast.Download] = []
        for (index, need) in needs().sorted(by: { $0.key < $1.key }) {
            guard let image = try await session.baseImage(of: plan.stages[index]!) else {
                continue
            }
            downloads += try missing(of: image, need)
        }
        for image in try await copiedImages() { downloads += try missing(of: image, .trees) }
        var seen: Set<Digest> = []
        return downloads.filter { seen.insert($0.digest).inserted }
    }

    private func missing(of image: BaseImage, _ need: Need) throws -> [Forecast.Download] {
        var missing: [Forecast.Download] = []
        for layer in image.layers where try session.store.size(ofBlob: layer.blob.digest) == nil {
            if need == .listings, try session.store.listing(layer.diffID) != nil { continue }
            missing.append(
                Forecast.Download(
                    digest: layer.blob.digest, size: layer.blob.size, image: image.name))
        }
        return missing
    }

    /// Stages whose layers some step needs, each after those that stand on it.
    private func needs() -> [Int: Need] {
        var needs: [Int: Need] = [:]
        func require(_ index: Int, _ need: Need) {
            needs[index] = max(needs[index] ?? need, need)
            if case .stage(let below)? = plan.stages[index]?.base { require(below, need) }
        }
        for (index, planned) in plan.stages {
            for (step, outlook) in (outlooks[index] ?? []).enumerated()
            where outlook == .runs || outlook == .unknown {
                let isRun = planned.stage.instructions[step].kind == .run
                let copiesTrees = planned.sources(readBy: step).contains { !$0.isDirectory }
                require(index, isRun || copiesTrees ? .trees : .listings)
                for other in planned.stages(readBy: step) { require(other, .trees) }
            }
        }
        return needs
    }

    /// Images that are no stage's base, from which such a step copies.
    private func copiedImages() async throws -> [BaseImage] {
        var images: [BaseImage] = []
        for (index, planned) in plan.stages.sorted(by: { $0.key < $1.key }) {
            for (step, outlook) in (outlooks[index] ?? []).enumerated()
            where outlook == .runs || outlook == .unknown {
                for source in planned.sources(readBy: step) {
                    guard let context = source.image else { continue }
                    images.append(
                        try await session.images.image(of: context, plan.platform))
                }
            }
        }
        return images
    }
}

extension Plan.CopyOrigin {
    /// Files of the user, which are read where they lie.
    fileprivate var isDirectory: Bool {
        if case .context(let context) = self { context.files != nil } else { false }
    }

    /// An image that is no stage.
    fileprivate var image: NamedContext? {
        switch self {
        case .image(let reference): .image(reference)
        case .stage: nil
        case .context(let context): context.files == nil ? context : nil
        }
    }
}
