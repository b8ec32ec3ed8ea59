import Store

extension WorkerServer {
    /// Makes a layer of files of another stage.
    func copy(_ order: CopyOrder) throws -> PackedLayer? {
        throw WorkerFailure(category: .input, message: "COPY --from is not wired yet")
    }
}
