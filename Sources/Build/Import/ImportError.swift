import Linux
import OCI
import SystemPackage

/// Why an image can't be taken from a file or a directory. Who throws it on says from which.
struct ImportError: Error, Equatable {
    enum Problem: Equatable {
        /// No OCI layout, or no docker archive, and what tells so.
        case wrongFormat(String)
        /// What was asked for, and what is there.
        case unknownImage(String, known: [String])
        /// Several images, and no word which.
        case ambiguous([String])
        case otherPlatforms(Platform, known: [String])
        /// A file that is named and not there.
        case missing(String)
        case wrongDigest(expected: Digest, actual: Digest)
        case wrongSize(String, expected: Int64, actual: Int64)
        /// A document or an archive that can't be used, and why.
        case damaged(String)
        /// A layer that is to be had somewhere else only, at a URL.
        case foreignLayer(Digest)
        /// A layer that no media type describes.
        case compression(String, of: String)
        case system(SystemError)
    }

    var problem: Problem
    var hint: String?

    init(_ problem: Problem, hint: String? = nil) {
        self.problem = problem
        self.hint = hint
    }

    static func during<Value: ~Copyable>(
        _ operation: @autoclosure () -> String, _ body: () throws(Errno) -> Value
    ) throws(ImportError) -> Value {
        do { return try body() } catch {
            throw ImportError(.system(SystemError(operation(), error)))
        }
    }

    /// A name from outside, for a message.
    static func word(_ text: String) -> String { Harmless.text(text, limit: 200) }
}

extension ImportError: CustomStringConvertible {
    var description: String {
        switch problem {
        case .wrongFormat(let reason), .damaged(let reason): reason
        case .unknownImage(let name, let known):
            "no image is called \(Self.word(name)); there is \(Self.list(known))"
        case .ambiguous(let known): "there are several images: \(Self.list(known))"
        case .otherPlatforms(let platform, let known):
            "there is no image for \(platform), but for \(Self.list(known))"
        case .missing(let name): "\(Self.word(name)) is missing"
        case .wrongDigest(let expected, let actual):
            "the content of \(expected) has the digest \(actual)"
        case .wrongSize(let name, let expected, let actual):
            "\(Self.word(name)) has \(actual) bytes instead of \(expected)"
        case .foreignLayer(let digest):
            "layer \(digest) is not in the image: registries do not hold it, a URL elsewhere does"
        case .compression(let compression, let name):
            "\(Self.word(name)) is compressed with \(compression), for which there is no media type"
        case .system(let error): error.description
        }
    }

    private static func list(_ names: [String]) -> String {
        if names.isEmpty { return "none that has a name" }
        let shown = names.prefix(8).map(word).joined(separator: ", ")
        return names.count > 8 ? "\(shown) and \(names.count - 8) more" : shown
    }
}
