import Linux
import OCI
import Store
import Synchronization

extension ImageSource {
    /// The image that a named context stands for, taken into the store as a whole where it lies on this machine.
    func image(of context: NamedContext, _ platform: Platform) async throws -> BaseImage {
        switch context {
        case .image(let reference): return try await image(reference, platform)
        case .directory, .remote:
            throw BuildError(
                .input, "the build context \(context) is no image",
                hint: "files are for COPY --from; for FROM, name an image, as in oci-layout://")
        case .stored(let stored):
            let key = "\(stored) \(platform)"
            let task = state.withLock { state in
                if let task = state.images[key] { return task }
                let task = Task { try await self.take(stored, platform) }
                state.images[key] = task
                return task
            }
            return try await withTaskCancellationHandler {
                try await task.value
            } onCancel: {
                task.cancel()
            }
        }
    }

    private func take(_ stored: StoredImage, _ platform: Platform) async throws -> BaseImage {
        let (store, cancellation) = (store, CancellationFlag())
        let top = try await withTaskCancellationHandler {
            try await blocking {
                try ImageImporter(store: store) { try cancellation.check() }.take(stored, platform)
            }
        } onCancel: {
            cancellation.cancel()
        }
        return try await image("\(stored)", at: nil, top, platform)
    }
}
