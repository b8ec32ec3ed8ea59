import ArgumentParser
import Build
import Linux
import Store
import SystemPackage

/// Where the store is.
struct StoreOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "The store; without it LICHEN_ROOT, XDG_DATA_HOME/lichen or ~/.local/share/lichen.",
            valueName: "dir"),
        completion: .directory)
    var root: String?

    @Option(
        help: ArgumentHelp(
            "Unpacked trees and work go here, on a local disk; without it into the store.",
            valueName: "dir"),
        completion: .directory)
    var scratch: String?

    mutating func validate() throws {
        if root == "" { throw ValidationError("--root is empty") }
        if scratch == "" { throw ValidationError("--scratch is empty") }
    }

    /// The store's path. `home` is asked only where the environment says nothing.
    func path(environment: [String: String], home: () -> String?) throws -> String {
        func value(_ name: String) -> String? {
            environment[name].flatMap { $0.isEmpty ? nil : $0 }
        }
        if let root { return root }
        if let path = value("LICHEN_ROOT") { return path }
        // A relative XDG_DATA_HOME is to be passed over; XDG base directory specification.
        if let data = value("XDG_DATA_HOME"), data.hasPrefix("/") { return data + "/lichen" }
        guard let directory = value("HOME") ?? home() else {
            throw BuildError(
                .host, "there is no place for the store: this user has no home",
                hint: "name a directory with --root")
        }
        return directory + "/.local/share/lichen"
    }

    /// The store where there is one that can be used; it is not made for somebody who only looks.
    func openIfPresent() -> Store? {
        // Whoever asks does without it: what is wrong with it counts where it is needed.
        guard
            let path = try? path(
                environment: processEnvironment(), home: { InvokingUser.current.home }),
            (try? FileDescriptor.workingDirectory.statusIfPresent(of: path.utf8)) != nil
        else { return nil }
        return try? Store(path: path, scratchPath: scratch)
    }

    /// Opens the store, making it if it is not there.
    func open() throws -> Store {
        let path = try path(environment: processEnvironment(), home: { InvokingUser.current.home })
        return try Store(path: path, scratchPath: scratch)
    }
}
