/// File capabilities as a layer carries them: of version 2, which means root of wherever the image runs.
///
/// A program's capabilities in a user namespace are written as version 3, with the id of that namespace's root on the machine where
/// it was made. capabilities(7), "File capability extended attribute versioning".
enum FileCapability {
    static let attribute = Array("security.capability".utf8)

    private static let sizeOfVersion2 = 20
    private static let sizeOfVersion3 = 24

    /// The same capabilities in version 2; nil for what is malformed, or speaks of another namespace than the image's.
    static func canonical(_ value: [UInt8]) -> [UInt8]? {
        // Little-endian words: the version with the "effective" flag, twice two of capabilities, and the root's id.
        guard value.count >= sizeOfVersion2, value[0] & ~1 == 0, value[1] == 0, value[2] == 0 else {
            return nil
        }
        switch (value[3], value.count) {
        case (2, sizeOfVersion2): return value
        case (3, sizeOfVersion3):
            guard value[sizeOfVersion2...].allSatisfy({ $0 == 0 }) else { return nil }
            return Array(value[..<3]) + [2] + value[4..<sizeOfVersion2]
        default: return nil
        }
    }
}
