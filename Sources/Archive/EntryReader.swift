public import SystemPackage

/// The entries of an archive, one after another, and their data.
public protocol EntryReader: AnyObject {
    /// How many headers have been read, those of names and attributes included.
    var count: Int { get }

    /// The next entry; passes over what is left of the data of the one before. nil at the end.
    func next() throws -> TarEntry?

    /// The next piece of the entry's data and where it stands in the file; nil after the last. Holes are left out, and the bytes
    /// stay valid until the next call.
    func nextBlock() throws -> (offset: Int64, bytes: UnsafeRawBufferPointer)?
}

extension TarReader: EntryReader {}

/// Who reads archives of strangers: this process, or one that has nothing to lose.
public protocol ArchiveReading: Sendable {
    /// Whether a file is an archive that ADD unpacks.
    func isArchive(_ file: FileDescriptor) throws -> Bool

    /// The entries of a file that can be read at any offset; it stays open until they have been read.
    func entries(of file: FileDescriptor, _ limits: DecompressionLimits) throws -> any EntryReader
}

/// Reads archives in this process: for those of our own, and in a process that is shut in.
public struct ArchivesHere: ArchiveReading {
    public init() {}

    public func isArchive(_ file: FileDescriptor) -> Bool {
        ArchiveSniffer.isArchive(DescriptorSource(file, offset: 0))
    }

    public func entries(of file: FileDescriptor, _ limits: DecompressionLimits) throws
        -> any EntryReader
    {
        TarReader(try Decompressor(DescriptorSource(file, offset: 0), limits: limits))
    }
}
