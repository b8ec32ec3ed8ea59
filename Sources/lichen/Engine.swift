import Build

extension Builder {
    /// Removes what no image and no step needs; with `all`, also what steps gave and unpacked trees.
    func prune(all: Bool) async throws -> (files: Int, bytes: Int64) {
        throw BuildError(.bug, "pruning is not carried out yet")
    }

    /// Reads every blob and record, and says what is wrong with each, and how many were read.
    func check() async throws -> (problems: [String], files: Int) {
        throw BuildError(.bug, "checking is not carried out yet")
    }
}
