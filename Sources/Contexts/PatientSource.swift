public import Archive
import Glibc
public import SystemPackage

/// What comes through a file, a pipe or a socket, without making a build that is cancelled wait for it.
public final class PatientSource: ByteSource {
    /// How long it waits for bytes before it asks whether somebody still wants them.
    private static let patienceMilliseconds: CInt = 200

    private let descriptor: FileDescriptor
    private let plain: DescriptorSource
    private let checkCancellation: () throws -> Void

    /// - Parameters:
    ///   - descriptor: stays the caller's, and open as long as this is used.
    ///   - checkCancellation: asked again and again; what it throws ends the reading.
    public init(_ descriptor: FileDescriptor, checkCancellation: @escaping () throws -> Void) {
        self.descriptor = descriptor
        plain = DescriptorSource(descriptor)
        self.checkCancellation = checkCancellation
    }

    public func read(into buffer: UnsafeMutableRawBufferPointer) throws -> Int {
        var waiting = pollfd(fd: descriptor.rawValue, events: Int16(POLLIN), revents: 0)
        repeat { try checkCancellation() } while poll(&waiting, 1, Self.patienceMilliseconds) == 0
        return try plain.read(into: buffer)
    }
}
