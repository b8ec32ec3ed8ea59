import Glibc
import Linux
import Synchronization

/// A wire to a server on the loopback interface that breaks when it is told to, as long as this value lives.
public final class CuttingProxy: Sendable {
    public let port: Int
    private let listener: CInt
    private let state: State

    private final class State: Sendable {
        let target: Int
        /// Bytes from the client in all, and where the next connections break.
        let plan: Mutex<(sent: Int, cuts: [Int])>
        init(_ target: Int, _ cuts: [Int]) {
            self.target = target
            plan = Mutex((0, cuts))
        }
    }

    /// - Parameter cuts: after how many bytes of all that clients send the connection breaks, ascending.
    public init(to target: Int, cuts: [Int]) throws {
        guard let (listener, port) = Loopback.listen() else {
            throw TestSupportError("listen on loopback")
        }
        (self.listener, self.port) = (listener, port)
        let state = State(target, cuts)
        self.state = state
        startThread {
            while true {
                let client = accept(listener, nil, nil)
                guard client >= 0 else { break }
                startThread { Self.serve(client, state) }
            }
            close(listener)
        }
    }

    deinit { shutdown(listener, CInt(SHUT_RDWR)) }

    /// `127.0.0.1:PORT`
    public var host: String { "127.0.0.1:\(port)" }
    /// Breaks that are still to come.
    public var cutsLeft: Int { state.plan.withLock { $0.cuts.count } }

    private static func serve(_ client: CInt, _ state: State) {
        guard let server = Loopback.connect(to: state.target) else {
            close(client)
            return
        }
        startThread {
            // The answers; they end with either side.
            while pump(server, client, { _ in false }) {}
            shutdown(client, CInt(SHUT_RDWR))
        }
        while pump(
            client, server,
            { count in
                state.plan.withLock { plan in
                    plan.sent += count
                    guard let cut = plan.cuts.first, plan.sent >= cut else { return false }
                    plan.cuts.removeFirst()
                    return true
                }
            })
        {}
        shutdown(client, CInt(SHUT_RDWR))
        shutdown(server, CInt(SHUT_RDWR))
        // The thread above may still use both: they stay open until the process ends, which is a test's.
    }

    /// Passes some bytes on; false where nothing more can pass.
    private static func pump(_ from: CInt, _ to: CInt, _ cutting: (Int) -> Bool) -> Bool {
        var chunk = [UInt8](repeating: 0, count: 16384)
        let count = recv(from, &chunk, chunk.count, 0)
        if count <= 0 || cutting(count) { return false }
        var sent = 0
        while sent < count {
            let now = chunk.withUnsafeBytes {
                send(to, $0.baseAddress! + sent, count - sent, CInt(MSG_NOSIGNAL))
            }
            if now <= 0 { return false }
            sent += now
        }
        return true
    }
}

/// Sockets of 127.0.0.1.
enum Loopback {
    static func listen() -> (socket: CInt, port: Int)? {
        with(port: 0) { socket, address, length in
            guard bind(socket, address, length) == 0, Glibc.listen(socket, 64) == 0 else {
                return nil
            }
            var length = length
            guard getsockname(socket, address, &length) == 0 else { return nil }
            let port = address.withMemoryRebound(to: sockaddr_in.self, capacity: 1) {
                UInt16(bigEndian: $0.pointee.sin_port)
            }
            return (socket, Int(port))
        }
    }

    static func connect(to port: Int) -> CInt? {
        with(port: port) { socket, address, length in
            Glibc.connect(socket, address, length) == 0 ? socket : nil
        }
    }

    private static func with<Value>(
        port: Int, _ body: (CInt, UnsafeMutablePointer<sockaddr>, socklen_t) -> Value?
    ) -> Value? {
        let socket = Glibc.socket(
            AF_INET, CInt(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        guard socket >= 0 else { return nil }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(port).bigEndian
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        let value = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                body(socket, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        if value == nil { close(socket) }
        return value
    }
}
