import Glibc
import Testing

@testable import Dockerfile

/// Folders beside this file, one case each. `UPDATE_GOLDEN=1` writes what comes out.
enum GoldenFolder: String {
    case golden = "Golden"
    case refused = "Refused"

    private static let tests = #filePath.split(separator: "/").dropLast().map { "/" + $0 }.joined()
    static let isUpdating = getenv("UPDATE_GOLDEN") != nil

    var cases: [String] {
        guard let directory = opendir("\(Self.tests)/\(rawValue)") else { return [] }
        defer { closedir(directory) }
        var names: [String] = []
        while let entry = readdir(directory) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if !name.hasPrefix(".") { names.append(name) }
        }
        return names.sorted()
    }

    func path(_ name: String, _ file: String) -> String {
        "\(Self.tests)/\(rawValue)/\(name)/\(file)"
    }
}

func readFile(_ path: String) -> [UInt8]? {
    guard let file = fopen(path, "rb") else { return nil }
    defer { fclose(file) }
    var bytes: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 65_536)
    while case let count = fread(&buffer, 1, buffer.count, file), count > 0 {
        bytes += buffer[..<count]
    }
    return bytes
}

private func compare(_ text: String, with path: String) throws {
    if GoldenFolder.isUpdating {
        let file = try #require(fopen(path, "wb"))
        defer { fclose(file) }
        let bytes = Array(text.utf8)
        #expect(fwrite(bytes, 1, bytes.count, file) == bytes.count)
        return
    }
    let expected = try #require(readFile(path), "no \(path); run with UPDATE_GOLDEN=1")
    #expect(text == String(decoding: expected, as: UTF8.self))
}

@Suite struct `A Dockerfile` {
    @Test(arguments: GoldenFolder.golden.cases)
    func `is parsed as its golden file says`(name: String) throws {
        let folder = GoldenFolder.golden
        let bytes = try #require(readFile(folder.path(name, "Dockerfile")))
        let document = try DockerfileDocument.parse(bytes, file: "Dockerfile")
        try compare(DockerfileJSON.encode(document), with: folder.path(name, "expected.json"))
    }

    @Test(arguments: GoldenFolder.refused.cases)
    func `is refused with its line and excerpt`(name: String) throws {
        let folder = GoldenFolder.refused
        let bytes = try #require(readFile(folder.path(name, "Dockerfile")))
        let error = try #require(throws: DockerfileError.self) {
            _ = try DockerfileDocument.parse(bytes, file: "Dockerfile")
        }
        try compare("\(error)\n" + error.excerpt(in: bytes), with: folder.path(name, "error.txt"))
    }
}
