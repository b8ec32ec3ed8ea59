import OCI
import Store

extension Store {
    /// What `name` stands for here.
    func manifest(named name: Reference) throws -> Descriptor {
        if let found = try image(name.description) { return found }
        throw StoreError(
            .unknownImage(name.familiar),
            hint: "lichen images lists those that are here; lichen pull \(name.familiar) brings it")
    }
}

extension Reference {
    /// A canonical name as short as Docker prints it; one that can't be read as it is.
    static func familiarName(_ name: String) -> String {
        (try? Reference(parsing: name))?.familiar ?? Sanitizer.clean(name)
    }
}
