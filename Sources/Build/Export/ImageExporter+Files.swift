import Archive
import Layers
import Store

extension ImageExporter {
    /// Calls `body` for every file of the image, layer by layer from the lowest; the walk has its data.
    ///
    /// A directory may come after what is in it, where an upper layer changed it. A hard link comes after the file that it names.
    func forEachFile(
        of image: ExportableImage, _ body: (TarEntry, LayerWalk) throws -> Void
    ) throws {
        var files = MergedFiles(try listings(of: image))
        for (index, layer) in image.layers.enumerated() {
            var links = HardLinks(try standIns(in: layer, index, of: &files))
            let walk = try walk(layer)
            while let (path, entry) = try walk.next() {
                try checkCancellation()
                let line = files.entry(at: path, of: index)
                if entry.kind == .hardLink {
                    let target = links.origin(of: path, linkedTo: TreePath(entry.linkTarget)!)
                    guard line != nil else { continue }
                    let isShown = files.entry(at: target, of: index) != nil
                    guard let name = links.name(for: path, of: target, isShown: isShown) else {
                        continue
                    }
                    var entry = entry
                    entry.linkTarget = name.bytes
                    try body(entry, walk)
                } else {
                    links.begin(path)
                    if let line, line.kind == ListingEntry.Kind(entry.kind) {
                        try body(entry, walk)
                    } else if let name = links.standIn(for: path) {
                        var entry = entry
                        entry.path = name.bytes
                        try body(entry, walk)
                    }
                }
            }
        }
    }

    /// For files of a layer that are hidden, while other names of them are not: which of those names gets the body.
    private func standIns(
        in layer: LayerRecord, _ index: Int, of files: inout MergedFiles
    ) throws -> [TreePath: TreePath] {
        guard files.mayHideLinkedFiles(of: index) else { return [:] }
        var result: [TreePath: TreePath] = [:]
        var links = HardLinks([:])
        let walk = try walk(layer)
        while let (path, entry) = try walk.next() {
            try checkCancellation()
            guard entry.kind == .hardLink else {
                links.begin(path)
                continue
            }
            let target = links.origin(of: path, linkedTo: TreePath(entry.linkTarget)!)
            if result[target] == nil, files.entry(at: path, of: index) != nil,
                files.entry(at: target, of: index) == nil
            {
                result[target] = path
            }
        }
        return result
    }
}

extension ListingEntry.Kind {
    /// How a listing has an entry that is no hard link.
    fileprivate init(_ kind: TarEntry.Kind) {
        switch kind {
        case .file, .hardLink: self = .file
        case .directory: self = .directory
        case .symlink: self = .symbolicLink
        case .characterDevice: self = .characterDevice
        case .blockDevice: self = .blockDevice
        case .fifo: self = .fifo
        }
    }
}
