import Linux
import OCI
import SystemPackage

extension ImageExporter {
    /// The most that the kernel copies between two looks at whether to go on.
    private static let copyLength = 64 << 20
    static let layoutFile = Array(#"{"imageLayoutVersion":"1.0.0"}"#.utf8)

    /// Adds an image, or an index of several, to the OCI layout at `path`, which is made where there is none. Other images in it
    /// stay.
    ///
    /// Blobs are copied by the kernel and not hashed again. A name gets its new meaning when all blobs are there.
    ///
    /// OCI image-spec v1.1, image-layout.md.
    func writeLayout(
        of top: Descriptor, _ blobs: [Descriptor], named references: [Reference], to path: String
    ) throws {
        let output = try OutputDirectory(OutputPath(path))
        let layout = LayoutDirectory(directory: output.descriptor, pathForMessages: path)
        if output.state == .filled { try layout.check() }
        let lock = try layout.lock()
        try layout.prepare()
        for blob in blobs { try copy(blob, to: layout) }
        try layout.changeIndex { index in try index.add(top, named: references) }
        try output.commit()
        _ = consume lock
    }

    private func copy(_ blob: Descriptor, to layout: LayoutDirectory) throws {
        if try layout.has(blob) { return }
        let source = try open(blob)
        try layout.addBlob(blob.digest) { target in
            while true {
                try checkCancellation()
                let count = try ExportError.during("write to \(layout.pathForMessages)") {
                    () throws(Errno) in
                    try source.borrowed.copyOnce(to: target, atMost: Self.copyLength)
                }
                if count == 0 { return }
            }
        }
    }
}
