import FoundationEssentials
import TestSupport
import Testing

/// A suite that runs builds says so with this.
let needsJudges: Comment = "no subordinate ids, or docker-registry, umoci, skopeo, gcc are missing"

/// A build that was pushed, and the image as others read it.
struct Built {
    var name: String
    var outcome: Command.Outcome
    var image: InspectedImage

    /// Layers above the base's.
    var newLayers: ArraySlice<InspectedImage.Layer>

    /// The one layer above the base's.
    var onlyLayer: InspectedImage.Layer {
        #expect(newLayers.count == 1, "\(newLayers.map(\.summary))")
        return newLayers.last ?? image.layers[0]
    }

    /// The paths at and below one, as umoci unpacks the image.
    func files(below path: String) throws -> [String] {
        let bundle = try UnpackedImage(name)
        return try bundle.shell("find \(path) | LC_ALL=C sort").split(separator: "\n").map(
            String.init)
    }
}

/// A name in the shared registry that no other test uses.
func newName() throws -> String {
    "\(try Bases.registry().host)/test/\(UInt64.random(in: 0...UInt64.max)):1"
}

/// Builds and pushes an image; the registry's copy is what comes back, checked.
///
/// - Parameter dockerfile: without FROM, on busybox or the base that is named.
func build(
    _ dockerfile: String, files: [String: String] = [:], base: String? = nil, baseLayers: Int = 1,
    _ arguments: [String] = [], environment: [String: String] = [:],
    with lichen: LichenProgram? = nil
) throws -> Built {
    let base = try base ?? Bases.busybox()
    return try buildWhole(
        "FROM \(base)\n\(dockerfile)\n", files: files, baseLayers: baseLayers, arguments,
        environment: environment, with: lichen)
}

/// The same, of a whole Dockerfile.
func buildWhole(
    _ dockerfile: String, files: [String: String] = [:], baseLayers: Int = 0,
    _ arguments: [String] = [], environment: [String: String] = [:],
    with lichen: LichenProgram? = nil
) throws -> Built {
    let lichen = try lichen ?? LichenProgram()
    let name = try newName()
    let folder = try BuildFolder(dockerfile, files)
    let outcome = try lichen.build(folder, ["-t", name, "--push"] + arguments, environment).run()
        .required()
    return try Built(name, outcome, baseLayers: baseLayers, lichen)
}

extension Built {
    /// Fetches what was pushed, and checks what is true after every build.
    init(_ name: String, _ outcome: Command.Outcome, baseLayers: Int, _ lichen: LichenProgram)
        throws
    {
        let image = try InspectedImage.pushed(name)
        let layers = image.layers.dropFirst(baseLayers)
        for layer in layers {
            #expect(layer.orphans.isEmpty, "\(layer.orphans) have no parent entry")
        }
        #expect(outcome.text == image.manifest.digest + "\n")
        #expect(lichen.work.isEmpty, "the work directory holds \(lichen.work)")
        self.init(name: name, outcome: outcome, image: image, newLayers: layers)
    }
}

/// An image of a registry on this machine, unpacked by umoci as an ordinary user: a runtime bundle.
final class UnpackedImage {
    private let directory: TemporaryDirectory

    init(_ name: String) throws {
        directory = try TemporaryDirectory()
        try Command([
            "skopeo", "copy", "--quiet", "--src-tls-verify=false", "docker://\(name)",
            "oci:\(directory.path("layout")):image",
        ]).run().required()
        try Command([
            "umoci", "unpack", "--rootless", "--image", directory.path("layout") + ":image", bundle,
        ]).run().required()
    }

    deinit { TestHost.remove(directory.path) }

    var bundle: String { directory.path("bundle") }

    /// What a shell prints in the root of the unpacked image.
    func shell(_ script: String) throws -> String {
        var command = Command(["sh", "-c", script])
        command.directory = bundle + "/rootfs"
        return try command.run().required().text
    }
}
