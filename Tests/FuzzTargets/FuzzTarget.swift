/// One reader of foreign bytes, and what has to be true of it whatever comes.
public struct FuzzTarget: Sendable {
    public let name: String
    /// What makes sense.
    public let seeds: [[UInt8]]
    /// Pieces that mean something, so that mutations reach beyond the first check.
    public let fragments: [[UInt8]]
    /// Takes one input; throws where something is not as it has to be. Errors of the reader's own type are as they have to be.
    public let exercise: @Sendable ([UInt8]) throws -> Void

    public init(
        _ name: String, seeds: [[UInt8]], fragments: [[UInt8]] = [],
        _ exercise: @escaping @Sendable ([UInt8]) throws -> Void
    ) {
        self.name = name
        self.seeds = seeds
        self.fragments = fragments
        self.exercise = exercise
    }

    /// All of them. Those of the Dockerfile language are where that is tested.
    public static let names = [
        "tar", "unpack", "gzip", "zstd", "documents", "challenges", "references", "policies",
        "answers", "http",
    ]

    /// The target of that name; it may make files and a server for itself.
    public static func named(_ name: String) throws -> FuzzTarget? {
        switch name {
        case "tar": try tar()
        case "unpack": try unpack()
        case "gzip": try gzip()
        case "zstd": try zstd()
        case "documents": try documents()
        case "challenges": try challenges()
        case "references": try references()
        case "policies": try policies()
        case "answers": try answers()
        case "http": try http()
        default: nil
        }
    }
}

/// What a target found.
public struct Broken: Error, CustomStringConvertible {
    public var description: String

    public init(_ description: String) { self.description = description }
}

func require(_ condition: Bool, _ what: @autoclosure () -> String) throws {
    if !condition { throw Broken(what()) }
}

/// Runs a reader; of what it throws only `Expected` is right.
///
/// - Returns: whether the reader took the input.
@discardableResult
func expecting<Expected: Error>(_ type: Expected.Type, _ body: () throws -> Void) throws -> Bool {
    do {
        try body()
        return true
    } catch {
        if error is Broken { throw error }
        guard error is Expected else {
            throw Broken("an error of another type: \(Swift.type(of: error)): \(error)")
        }
        // Every error has words.
        _ = "\(error)"
        return false
    }
}

extension [String] {
    var bytes: [[UInt8]] { map { [UInt8]($0.utf8) } }
}
