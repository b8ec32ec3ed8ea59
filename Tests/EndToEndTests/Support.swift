import FoundationEssentials
import TestSupport
import Testing

/// A build that was pushed, and the image as others read it.
struct Built {
    var name: String
    var outcome: Command.Outcome
    var image: InspectedImage

    /// Layers above the base's.
    var newLayers: ArraySlice<InspectedImage.Layer>
}

/// A name in the shared registry that no other test uses.
func newName() throws -> String {
    "\(try Bases.registry().host)/test/\(UInt64.random(in: 0...UInt64.max)):1"
}

/// Builds `dockerfile` and pushes the image; the registry's copy is what comes back, checked.
func build(
    _ dockerfile: String, files: [String: String] = [:], _ arguments: [String] = [],
    environment: [String: String] = [:], baseLayers: Int = 1, with lichen: LichenProgram? = nil
) throws -> Built {
    let lichen = try lichen ?? LichenProgram()
    let name = try newName()
    let folder = try BuildFolder(dockerfile, files)
    let outcome = try lichen.build(folder, ["-t", name, "--push"] + arguments, environment).run()
        .required()
    let image = try InspectedImage.pushed(name)
    let layers = image.layers.dropFirst(baseLayers)
    for layer in layers { #expect(layer.orphans.isEmpty, "\(layer.orphans) have no parent entry") }
    #expect(lichen.work.isEmpty, "the work directory holds \(lichen.work)")
    return Built(name: name, outcome: outcome, image: image, newLayers: layers)
}
