public import Linux
import SystemPackage

/// What is wrong with a layer or a tree, and at which entry.
public struct LayerError: Error, Equatable, CustomStringConvertible {
    public enum Problem: Equatable, Sendable {
        /// A path that leaves the root, or is none.
        case unsafePath
        /// A hard link to something that this layer does not hold.
        case missingLinkTarget([UInt8])
        /// The name of an ordinary file begins with ".wh.", which means something else in a layer.
        case whiteoutName
        /// More entries, or longer names, than anyone needs.
        case limit(String)
        /// A file that isn't what it was a moment ago.
        case changed
        /// A listing that does not make sense; the store is damaged.
        case damagedListing
        /// The other layer is not as an archive should be.
        case archive(String)
        case system(SystemError)
    }

    public var problem: Problem
    public var path: [UInt8]

    public init(_ problem: Problem, at path: [UInt8]) {
        self.problem = problem
        self.path = path
    }

    public var description: String {
        let place = "/" + printable(path)
        return switch problem {
        case .unsafePath: "\(place): the path leaves the image"
        case .missingLinkTarget(let target):
            "\(place): a hard link to /\(printable(target)), which this layer does not hold"
        case .whiteoutName:
            "\(place): a file of this name can't be in a layer, where .wh. means a removal"
        case .limit(let what): "\(place): \(what)"
        case .changed: "\(place): the file changed while it was read"
        case .damagedListing: "the listing of a layer is damaged"
        case .archive(let words): "\(place): \(words)"
        case .system(let error): "\(place): \(error)"
        }
    }

    /// Runs `body` and says at which entry it failed, and doing what.
    static func at<Value: ~Copyable>(
        _ path: @autoclosure () -> [UInt8], _ operation: String, _ body: () throws(Errno) -> Value
    ) throws(LayerError) -> Value {
        do { return try body() } catch {
            throw LayerError(.system(SystemError(operation, error)), at: path())
        }
    }
}
