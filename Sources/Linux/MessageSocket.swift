import CShims
import Glibc
import Limits
public import SystemPackage

/// One end of a pair of sockets that carries length-framed messages, each with a few descriptors.
///
/// Several threads may send; one receives. The peer is our own program, yet lengths are limited: a bug must not eat the
/// machine's memory.
public final class MessageSocket: Sendable {
    /// The largest message: a step's environment and arguments, or the names of a change set's entries.
    public static let largestMessage = Limit.message

    private let socket: OwnedDescriptor
    private let sending = Lock()

    public init(_ socket: consuming OwnedDescriptor) { self.socket = socket }

    /// Two connected ends.
    public static func pair() throws(Errno) -> (MessageSocket, MessageSocket) {
        var ends: (CInt, CInt) = (-1, -1)
        _ = try Errno.check(
            withUnsafeMutableBytes(of: &ends) {
                sbx_socketpair($0.baseAddress!.assumingMemoryBound(to: CInt.self))
            })
        return (
            MessageSocket(OwnedDescriptor(owning: ends.0)),
            MessageSocket(OwnedDescriptor(owning: ends.1))
        )
    }

    /// For handing this end to a child.
    public var descriptor: FileDescriptor { socket.borrowed }

    /// Sends `body` and copies of `descriptors` (at most 16).
    public func send(_ body: [UInt8], _ descriptors: [FileDescriptor] = []) throws(Errno) {
        if body.count > Self.largestMessage { throw Errno.messageTooLong }
        var frame = [UInt8]()
        frame.reserveCapacity(body.count + 4)
        withUnsafeBytes(of: UInt32(body.count).littleEndian) { frame.append(contentsOf: $0) }
        frame.append(contentsOf: body)
        sending.acquire()
        defer { sending.release() }
        var sent = 0
        let numbers = descriptors.map(\.rawValue)
        while sent < frame.count {
            // The descriptors ride on the first byte.
            let count = frame.withUnsafeBytes { bytes in
                sbx_send(
                    socket.raw, bytes.baseAddress! + sent, bytes.count - sent, numbers,
                    sent == 0 ? CInt(numbers.count) : 0)
            }
            sent += try Errno.check(count)
        }
    }

    /// The next message, nil when the peer is gone.
    public func receive() throws(Errno) -> Message? {
        var descriptors: [CInt] = []
        var header = [UInt8](repeating: 0, count: 4)
        guard try fill(&header, &descriptors) else { return nil }
        let length = header.withUnsafeBytes {
            Int(UInt32(littleEndian: $0.loadUnaligned(as: UInt32.self)))
        }
        let message = Message(descriptors)
        if length > Self.largestMessage { throw Errno.messageTooLong }
        var body = [UInt8](repeating: 0, count: length)
        var more: [CInt] = []
        guard try fill(&body, &more) else { throw Errno.connectionReset }
        message.body = body
        return message
    }

    private func fill(_ bytes: inout [UInt8], _ descriptors: inout [CInt]) throws(Errno) -> Bool {
        var filled = 0
        while filled < bytes.count {
            var numbers = [CInt](repeating: -1, count: 16)
            var room: CInt = 16
            let (start, end) = (filled, bytes.count)
            let count = bytes.withUnsafeMutableBytes {
                sbx_receive(socket.raw, $0.baseAddress! + start, end - start, &numbers, &room)
            }
            descriptors.append(contentsOf: numbers.prefix(Int(room)))
            let received = try Errno.check(count)
            if received == 0 {
                if filled == 0 { return false }
                throw Errno.connectionReset
            }
            filled += received
        }
        return true
    }

    /// A message with the descriptors that came along; those not taken are closed with it.
    public final class Message {
        public internal(set) var body: [UInt8] = []
        private var descriptors: [CInt]

        init(_ descriptors: [CInt]) { self.descriptors = descriptors }

        /// Takes the next descriptor, in the order they were sent.
        public func takeDescriptor() -> OwnedDescriptor? {
            descriptors.isEmpty ? nil : OwnedDescriptor(owning: descriptors.removeFirst())
        }

        deinit { descriptors.forEach { _ = Glibc.close($0) } }
    }
}
