// What the `Build` module is to provide, until it does. Each declaration here goes when the one of `Build` is there; nothing
// else in this folder has to change.

import Build
import OCI
import Store

/// The engine.
struct Builder: Sendable {
    let store: Store
    let observer: BuildObserver

    init(store: Store, observer: @escaping BuildObserver) {
        self.store = store
        self.observer = observer
    }

    /// Builds one image. Cancelling the task ends the build.
    func build(_ request: BuildRequest) async throws -> BuildResult {
        throw BuildError(.bug, "builds are not carried out yet")
    }

    /// Brings an image into the store under its name.
    func pull(_ reference: Reference, platform: Platform, plainHTTP: Set<String>) async throws
        -> Descriptor
    {
        throw BuildError(.bug, "pulls are not carried out yet")
    }

    /// Sends an image of the store to the registry that its name says.
    func push(_ reference: Reference, plainHTTP: Set<String>) async throws -> Descriptor {
        throw BuildError(.bug, "pushes are not carried out yet")
    }

    /// Removes what no image and no step needs; with `all`, also what steps gave and unpacked trees.
    func prune(all: Bool) async throws -> (files: Int, bytes: Int64) {
        throw BuildError(.bug, "pruning is not carried out yet")
    }

    /// Reads every blob and record, and says what is wrong with each, and how many were read.
    func check() async throws -> (problems: [String], files: Int) {
        throw BuildError(.bug, "checking is not carried out yet")
    }
}

/// The process that a build starts for what needs namespaces.
enum WorkerProcess {
    static func run() -> Never {
        Output.errorLine("error: the worker is not there yet")
        ExitStatus.bug.end()
    }
}
