import Glibc
import Linux
import SystemPackage

/// Where a build would work: what a measurement may look at beside the kernel.
public struct Place: Sendable {
    /// The store's path; it need not exist.
    public var store: String
    /// Where trees and work go; nil for the store.
    public var scratch: String?
    public var environment: [String: String]

    public init(store: String, scratch: String? = nil, environment: [String: String]) {
        self.store = store
        self.scratch = scratch
        self.environment = environment
    }

    /// The most that is read of any file.
    static let largestFile = 1 << 20

    /// A file as text; throws the kernel's reason. Plain open(2): doctor has to work where openat2 is refused.
    func text(of path: String) throws(Errno) -> String {
        let raw = Glibc.open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)
        if raw < 0 { throw Errno(rawValue: errno) }
        let file = OwnedDescriptor(owning: raw)
        return String(decoding: try file.borrowed.readAll(limit: Self.largestFile), as: UTF8.self)
    }

    /// The first line of a file; nil where it can't be read.
    func line(of path: String) -> String? {
        // A file that is not there says as much as an empty one here.
        guard let text = try? text(of: path) else { return nil }
        return text.split(separator: "\n", maxSplits: 1).first.map(String.init) ?? ""
    }

    /// The number in a file of /proc or /sys.
    func number(in path: String) -> Int? { line(of: path).flatMap { Int($0) } }

    func exists(_ path: String) -> Bool { access(path, F_OK) == 0 }

    /// A field of /proc/self/status, by its name without the colon.
    func ownStatus(_ field: String) -> String? {
        guard let text = try? text(of: "/proc/self/status") else { return nil }
        for line in text.split(separator: "\n") where line.hasPrefix(field + ":") {
            return line.dropFirst(field.count + 1).split(whereSeparator: \.isWhitespace)
                .joined(separator: " ")
        }
        return nil
    }

    /// Where a program is, along PATH and where administrators' programs are.
    func program(_ name: String) -> String? {
        let path = environment["PATH"] ?? ""
        let directories = path.split(separator: ":").map(String.init) + ["/usr/bin", "/usr/sbin"]
        return directories.filter { $0.hasPrefix("/") }.map { "\($0)/\(name)" }
            .first { access($0, X_OK) == 0 }
    }

    /// The directory of trees and work.
    var workPath: String { scratch ?? store }

    /// Where a build makes its work areas, or the nearest directory above that is there.
    ///
    /// The sweep of a store removes what is left there by a process that was killed.
    public var workDirectory: String { Self.existing(workPath + "/work") }

    /// `path`, or the nearest directory above it that is there.
    static func existing(_ path: String) -> String {
        var path = path
        while access(path, F_OK) != 0 {
            guard let slash = path.lastIndex(of: "/") else { return "." }
            if slash == path.startIndex { return "/" }
            path = String(path[..<slash])
        }
        return path
    }

    func open(directory path: String) throws(Errno) -> OwnedDescriptor {
        let raw = Glibc.open(path, O_RDONLY | O_CLOEXEC | O_DIRECTORY)
        if raw < 0 { throw Errno(rawValue: errno) }
        return OwnedDescriptor(owning: raw)
    }

    /// Runs `body` in a new directory where the store's trees would be; it is removed if `body` empties it.
    func withWorkDirectory(_ body: (FileDescriptor) -> Finding) -> Finding {
        let path = workDirectory
        let name = "\(path)/.lichen-doctor-\(randomName())"
        if mkdir(name, 0o700) != 0 {
            let reason = Errno(rawValue: errno).inWords
            return .missing(
                "no", "\(path) is not writable: \(reason)", remedy: "name another with --root")
        }
        defer { rmdir(name) }
        do throws(Errno) {
            let directory = try open(directory: name)
            return body(directory.borrowed)
        } catch {
            return .unknown("open a directory in \(path): \(error.inWords)")
        }
    }
}
