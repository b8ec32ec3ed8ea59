import CAttack
import Linux
import SystemPackage

/// The files that this process runs from: its program, the loader and the shared libraries.
///
/// With nothing else in it, a tree of these is one that the program runs in: an image that needs no base and no network.
struct OwnFiles {
    static let program = "lichen"
    static let libraries = "lib"

    /// By where they go, below the root of an image, without a slash before it.
    let sources: [String: String]

    init() {
        var found = Found()
        withUnsafeMutablePointer(to: &found) { found in
            atk_libraries(
                { path, isLoader, context in
                    guard let path, let context else { return }
                    context.assumingMemoryBound(to: Found.self).pointee
                        .take(String(cString: path), isLoader != 0)
                }, found)
        }
        var sources = found.sources
        sources[Self.program] = "/proc/self/exe"
        self.sources = sources
    }

    private struct Found {
        var sources: [String: String] = [:]

        /// The loader has to be where the program says; libraries are found by their last name.
        mutating func take(_ path: String, _ isLoader: Bool) {
            let name = path.split(separator: "/").last.map(String.init) ?? path
            let place = isLoader ? String(path.drop { $0 == "/" }) : "\(OwnFiles.libraries)/\(name)"
            sources[place] = path
        }
    }

    /// Copies them into a directory, which becomes the root of an image.
    func copy(into root: FileDescriptor) throws(SystemError) {
        for (place, source) in sources {
            do throws(Errno) {
                try Self.copy(source, to: place, in: root)
            } catch { throw SystemError("copy \(source)", error) }
        }
    }

    private static func copy(_ source: String, to place: String, in root: FileDescriptor)
        throws(Errno)
    {
        var parent = ""
        for part in place.split(separator: "/").dropLast() {
            parent += parent.isEmpty ? String(part) : "/\(part)"
            do throws(Errno) { try root.makeDirectory(parent.utf8, mode: 0o755) } catch {
                if error != .fileExists { throw error }
            }
        }
        let from = try FileDescriptor.workingDirectory.open(source, .readOnly, resolve: .system)
        let to = try root.open(place, [.create, .exclusive, .writeOnly], mode: 0o755)
        while try from.borrowed.copyOnce(to: to.borrowed, atMost: 1 << 30) > 0 {}
    }
}
