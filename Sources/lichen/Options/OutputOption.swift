import ArgumentParser
import Build

extension ImageOutput {
    /// Reads the value of `--output`: `type=oci|docker|tar|local,dest=PATH[,tar=true|false]`.
    ///
    /// A word without `=` is a directory (`type=local`), and `-` is a tar on standard output: Docker's short forms. Each key
    /// stands once; a key or a type that we do not carry out is an error. Docker reference, "docker buildx build --output".
    init(parsing text: String) throws {
        if text == "-" {
            self.init(kind: .tar, destination: .standardOutput, isTar: true)
            return
        }
        if !text.contains("=") {
            if text.isEmpty { throw ValidationError("it is empty") }
            if text.contains(",") {
                throw ValidationError("write it as type=oci|docker|tar|local,dest=PATH")
            }
            self.init(kind: .local, destination: .path(text), isTar: false)
            return
        }
        try self.init(keys: Self.split(text))
    }

    private static func split(_ text: String) throws -> [String: String] {
        var keys: [String: String] = [:]
        for field in text.split(separator: ",", omittingEmptySubsequences: false) {
            let parts = field.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard parts.count == 2 else {
                throw ValidationError("\"\(field)\" is not key=value; a comma can't be in a path")
            }
            let key = String(parts[0])
            guard ["type", "dest", "tar"].contains(key) else {
                throw ValidationError("unknown key \"\(key)\"; the keys are type, dest and tar")
            }
            guard keys.updateValue(String(parts[1]), forKey: key) == nil else {
                throw ValidationError("\(key) is there twice")
            }
        }
        return keys
    }

    private init(keys: [String: String]) throws {
        guard let type = keys["type"] else { throw ValidationError("type is missing") }
        guard let kind = Kind(rawValue: type) else { throw Self.refusal(ofType: type) }
        guard let dest = keys["dest"], !dest.isEmpty else {
            throw ValidationError("dest is missing: a path, or - for standard output")
        }
        let destination: Destination = dest == "-" ? .standardOutput : .path(dest)
        let isTar = try Self.isTar(keys["tar"], kind, dest)
        if destination == .standardOutput && !isTar {
            throw ValidationError("a directory can't go to standard output")
        }
        self.init(kind: kind, destination: destination, isTar: isTar)
    }

    private static func refusal(ofType type: String) -> ValidationError {
        switch type {
        case "image", "registry":
            ValidationError("type=\(type) is not an output here; name the image with -t and --push")
        default:
            ValidationError("unknown type \"\(type)\"; the types are oci, docker, tar and local")
        }
    }

    /// Whether a tar is written: an OCI layout is one where the destination says so, by `-` or a name that ends in `.tar`, or
    /// where `tar=true` does; the others leave no choice.
    private static func isTar(_ word: String?, _ kind: Kind, _ destination: String) throws -> Bool {
        guard let word else {
            return kind == .tar || kind == .docker
                || (kind == .oci && (destination == "-" || destination.hasSuffix(".tar")))
        }
        guard word == "true" || word == "false" else {
            throw ValidationError("tar is true or false, not \"\(word)\"")
        }
        switch kind {
        case .oci: return word == "true"
        case .tar where word == "true", .docker where word == "true": return true
        case .docker: throw ValidationError("type=docker is always a tar; use type=oci")
        case .tar: throw ValidationError("type=tar is always a tar; use type=local")
        case .local where word == "false": return false
        case .local: throw ValidationError("type=local is a directory; use type=tar")
        }
    }
}
