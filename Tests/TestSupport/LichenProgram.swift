import FoundationEssentials
import Glibc

/// The built program, with a home and a store of its own.
public final class LichenProgram: Sendable {
    private let directory: TemporaryDirectory

    /// The folder of the test bundle, where the helpers of tests are as well.
    public static let bundleFolder: String = {
        var buffer = [UInt8](repeating: 0, count: 4096)
        let count = readlink("/proc/self/exe", &buffer, buffer.count)
        let bundle = String(decoding: buffer.prefix(max(count, 0)), as: UTF8.self)
        let folder = bundle.split(separator: "/").dropLast().map { "/" + $0 }.joined()
        return access(folder + "/lichen", X_OK) == 0 ? folder : TestHost.sources + "/.build/debug"
    }()

    /// LICHEN_BINARY, or the program beside the test bundle.
    public static let binary: String =
        getenv("LICHEN_BINARY").map { String(cString: $0) } ?? bundleFolder + "/lichen"

    public init() throws {
        directory = try TemporaryDirectory()
        guard mkdir(store, 0o700) == 0, mkdir(home, 0o700) == 0 else {
            throw TestSupportError("make \(store)")
        }
    }

    deinit { TestHost.remove(store) }

    public var store: String { directory.path("store") }
    public var home: String { directory.path("home") }

    /// `lichen ARGUMENTS`, ready to be run or started.
    public func command(_ arguments: [String], _ environment: [String: String] = [:]) -> Command {
        var command = Command([Self.binary] + arguments)
        command.environment = ["HOME": home, "LICHEN_ROOT": store, "TMPDIR": directory.path]
            .merging(environment) { $1 }
        // What scripts/weaken leaves out.
        command.environment["LICHEN_WEAKEN"] = getenv("LICHEN_WEAKEN").map { String(cString: $0) }
        return command
    }

    @discardableResult
    public func run(_ arguments: [String], _ environment: [String: String] = [:]) throws
        -> Command.Outcome
    {
        try command(arguments, environment).run()
    }

    /// `lichen build --progress plain ARGUMENTS CONTEXT`
    public func build(
        _ context: BuildFolder, _ arguments: [String] = [], _ environment: [String: String] = [:]
    ) -> Command {
        command(["build", "--progress", "plain"] + arguments + [context.path], environment)
    }

    /// Names of what is in work areas: nothing, once a build is over.
    public var work: [String] {
        (try? FileManager.default.contentsOfDirectory(atPath: store + "/work")) ?? []
    }

    /// The store's named images; empty where there are none.
    public var index: [UInt8] {
        (try? Array(Data(contentsOf: URL(filePath: store + "/index.json")))) ?? []
    }
}

/// A build context in a temporary directory.
public final class BuildFolder: Sendable {
    private let directory: TemporaryDirectory

    public init(_ dockerfile: String, _ files: [String: String] = [:]) throws {
        directory = try TemporaryDirectory()
        try directory.write("Dockerfile", dockerfile.utf8)
        for (name, text) in files { try write(name, text) }
    }

    public var path: String { directory.path }

    /// Writes a file, and makes the directories above it.
    public func write(_ name: String, _ text: String) throws {
        if let slash = name.lastIndex(of: "/") {
            try FileManager.default.createDirectory(
                atPath: directory.path(String(name[..<slash])), withIntermediateDirectories: true)
        }
        try directory.write(name, text.utf8)
    }
}
