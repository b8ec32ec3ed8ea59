/// What is true of every image, whoever made it; OCI image-spec v1.1.
extension InspectedImage {
    /// What is wrong with it; empty for a sound image.
    public var violations: [String] {
        var found: [String] = []
        func expect(_ condition: Bool, _ text: @autoclosure () -> String) {
            if !condition { found.append(text()) }
        }
        for blob in [manifest, config] + layers.map(\.blob) {
            expect(blob.digest == blob.actualDigest, "\(blob.digest) has other bytes")
            expect(
                blob.size == blob.actualSize,
                "\(blob.digest): \(blob.actualSize) bytes, not \(blob.size)")
        }
        expect(schemaVersion == 2, "schemaVersion \(schemaVersion)")
        expect(manifestMediaType ?? manifest.mediaType == manifest.mediaType, "two media types")
        expect(image.rootfs.type == "layers", "rootfs.type \(image.rootfs.type)")
        expect(image.rootfs.diff_ids == layers.map(\.diffID), "diff IDs are not the layers'")
        if let history = image.history {
            let count = history.count { !$0.isEmpty }
            expect(count == layers.count, "history of \(count) layers, and \(layers.count) layers")
        }
        for (number, layer) in layers.enumerated() {
            found += layer.violations.map { "layer \(number + 1): \($0)" }
        }
        return found
    }
}

extension InspectedImage.Layer {
    fileprivate var blob: InspectedImage.Blob {
        InspectedImage.Blob(
            mediaType: mediaType, digest: digest, actualDigest: actualDigest, size: size,
            actualSize: actualSize)
    }

    fileprivate var violations: [String] {
        var found: [String] = []
        var seen: Set<String> = []
        for entry in entries {
            let parts = entry.name.split(separator: "/", omittingEmptySubsequences: false)
            if parts.contains("..") || entry.name.hasPrefix("/") {
                found.append("\(entry.name) leads out")
            }
            if !seen.insert(entry.name).inserted { found.append("\(entry.name) twice") }
            if entry.kind == "?" { found.append("\(entry.name) is of no known type") }
            if entry.kind == "hardlink", !seen.contains(entry.target) {
                found.append("\(entry.name) is a link to \(entry.target), which is not before it")
            }
            for name in entry.attributes.keys
            where name.contains("overlay.") || name.hasPrefix("trusted.") {
                found.append("\(entry.name) has \(name)")
            }
        }
        return found
    }

    /// Entries whose directory does not come before them: none, in a layer that Lichen made.
    public var orphans: [String] {
        var seen: Set<String> = []
        var found: [String] = []
        for entry in entries {
            if let slash = entry.name.lastIndex(of: "/"),
                !seen.contains(String(entry.name[..<slash]))
            {
                found.append(entry.name)
            }
            seen.insert(entry.name)
        }
        return found
    }
}
