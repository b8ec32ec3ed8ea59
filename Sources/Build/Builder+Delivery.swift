import Linux
import OCI
import Store

/// What a build gave: an image, or several under an index.
struct BuiltImages: Sendable {
    /// In the order of the platforms; never empty.
    var images: [AssembledImage]
    /// What names stand for.
    var top: Descriptor
}

extension Builder {
    /// - Parameter states: of the stages of each plan.
    func assemble(
        _ states: [[Int: StageState]], _ session: BuildSession
    ) async throws -> BuiltImages {
        let assembler = ImageAssembler(session: session)
        var images: [AssembledImage] = []
        for (plan, states) in zip(session.plans, states) {
            images.append(try await assembler.assemble(states[plan.target]!, of: plan))
        }
        let top = images.count == 1 ? images[0].manifest : try assembler.index(images)
        return BuiltImages(images: images, top: top)
    }

    /// Names what was built, pushes it and writes it out, as the request says.
    func deliver(_ built: BuiltImages, _ session: BuildSession) async throws {
        for tag in session.request.tags where tag.tag != nil {
            if try store.image(tag.description)?.digest != built.top.digest {
                try store.setImage(tag.description, to: built.top)
            }
        }
        if session.request.pushes {
            for tag in session.request.tags {
                try await session.pusher.push(
                    built.top, to: tag, isNew: session.stepCounts.cached < session.stepCounts.steps)
            }
        }
        try await export(built, session)
    }

    private func export(_ built: BuiltImages, _ session: BuildSession) async throws {
        if session.request.outputs.isEmpty { return }
        for image in built.images { try await session.images.ensureBlobs(image.layers) }
        let content = try content(of: built)
        let (store, observer, request) = (store, observer, session.request)
        let cancellation = CancellationFlag()
        try await withTaskCancellationHandler {
            try await blocking {
                let exporter = ImageExporter(
                    store: store, checkCancellation: { try cancellation.check() },
                    notice: { observer(.notice($0)) })
                for output in request.outputs {
                    switch content {
                    case .image(let image):
                        try exporter.export(image, to: output, as: request.tags)
                    case .index(let index):
                        try exporter.export(index, to: output, as: request.tags)
                    }
                }
            }
        } onCancel: {
            cancellation.cancel()
        }
    }

    private enum Content: Sendable {
        case image(ExportableImage)
        case index(ExportableIndex)
    }

    private func content(of built: BuiltImages) throws -> Content {
        let images = try built.images.map { image in
            guard let manifest = try store.document(image.manifest.digest),
                let config = try store.document(image.config)
            else { throw StoreError(.missingBlob(image.manifest.digest)) }
            return ExportableImage(
                manifest: image.manifest, manifestBytes: manifest, configBytes: config,
                layers: image.layers)
        }
        if images.count == 1 { return .image(images[0]) }
        let parts = zip(built.images, images).map { assembled, image in
            ExportableIndex.Part(platform: assembled.platform, image: image)
        }
        return .index(ExportableIndex(descriptor: built.top, parts: parts))
    }
}
