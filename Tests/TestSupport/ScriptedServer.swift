import Glibc
import Linux
import Synchronization

/// An HTTP server on the loopback interface that misbehaves as it is told.
///
/// It is for faults that a sound registry does not show. What works is tested with a real one.
public final class ScriptedServer: Sendable {
    public struct Request: Sendable {
        public var method: String
        /// Path and query, as they were sent.
        public var target: String
        /// Names in lower case.
        public var headers: [String: String]
        public var body: [UInt8]
    }

    /// What is done about a request, one after the other; then the next request of the connection is read.
    public enum Step: Sendable {
        case send([UInt8])
        case wait(Duration)
        case close

        /// A complete answer.
        public static func answer(
            _ status: Int, _ headers: [String: String] = [:], body: some Sequence<UInt8> = "".utf8
        ) -> Step {
            let bytes = Array(body)
            var head = "HTTP/1.1 \(status) Scripted\r\n"
            var fields = headers
            if fields["Content-Length"] == nil { fields["Content-Length"] = "\(bytes.count)" }
            for (name, value) in fields.sorted(by: { $0.key < $1.key }) {
                head += "\(name): \(value)\r\n"
            }
            return .send(Array((head + "\r\n").utf8) + bytes)
        }
    }

    public let port: Int
    private let listener: CInt
    private let state: State

    private final class State: Sendable {
        let requests = Mutex<[Request]>([])
        let connections = Mutex(0)
        let cutting: @Sendable (Request) -> Int?
        let respond: @Sendable (Request) -> [Step]
        init(
            _ cutting: @escaping @Sendable (Request) -> Int?,
            _ respond: @escaping @Sendable (Request) -> [Step]
        ) {
            self.cutting = cutting
            self.respond = respond
        }
    }

    /// Starts to listen; `respond` is called on threads of its own.
    ///
    /// - Parameter cutting: asked about each request whose body is still to come: after how many bytes of it the connection breaks.
    ///   `respond` sees a request that was cut with what came of its body; its answer goes nowhere.
    public init(
        cutting: @escaping @Sendable (Request) -> Int? = { _ in nil },
        _ respond: @escaping @Sendable (Request) -> [Step]
    ) throws {
        let listener = socket(
            AF_INET, CInt(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let error = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(listener, $0, length) | listen(listener, 64)
                    | getsockname(listener, $0, &length)
            }
        }
        guard listener >= 0, error == 0 else { throw TestSupportError("listen on loopback") }
        self.listener = listener
        port = Int(UInt16(bigEndian: address.sin_port))
        let state = State(cutting, respond)
        self.state = state
        Self.onThread {
            while true {
                let connection = accept(listener, nil, nil)
                guard connection >= 0 else { break }
                state.connections.withLock { $0 += 1 }
                Self.onThread { Self.serve(connection, state) }
            }
            close(listener)
        }
    }

    deinit { shutdown(listener, CInt(SHUT_RDWR)) }

    /// `127.0.0.1:PORT`
    public var host: String { "127.0.0.1:\(port)" }

    /// Every request so far.
    public var requests: [Request] { state.requests.withLock { $0 } }

    /// Connections so far.
    public var connections: Int { state.connections.withLock { $0 } }

    private static func onThread(_ body: @escaping @Sendable () -> Void) {
        startThread(body)
    }

    private static func serve(_ connection: CInt, _ state: State) {
        defer { close(connection) }
        var buffered: [UInt8] = []
        while let (request, isCut) = read(connection, &buffered, state.cutting) {
            state.requests.withLock { $0.append(request) }
            let steps = state.respond(request)
            if isCut { return }
            for step in steps {
                switch step {
                case .send(let bytes): send(bytes, to: connection)
                case .wait(let time):
                    let (seconds, attoseconds) = time.components
                    usleep(UInt32(seconds * 1_000_000 + attoseconds / 1_000_000_000_000))
                case .close: return
                }
            }
        }
    }

    private static func send(_ bytes: [UInt8], to connection: CInt) {
        var rest = bytes[...]
        while !rest.isEmpty {
            let sent = rest.withUnsafeBytes {
                Glibc.send(connection, $0.baseAddress, $0.count, CInt(MSG_NOSIGNAL))
            }
            if sent <= 0 { return }
            rest = rest.dropFirst(sent)
        }
    }

    private static func read(
        _ connection: CInt, _ buffered: inout [UInt8], _ cutting: (Request) -> Int?
    ) -> (Request, isCut: Bool)? {
        var headEnd: Int?
        while headEnd == nil {
            headEnd = end(ofHeadIn: buffered)
            if headEnd == nil && !receive(connection, &buffered) { return nil }
        }
        let lines = String(decoding: buffered[..<headEnd!], as: UTF8.self)
            .split(separator: "\r\n").map(String.init)
        let words = lines[0].split(separator: " ").map(String.init)
        var headers: [String: String] = [:]
        for line in lines.dropFirst() {
            guard let colon = line.firstIndex(of: ":") else { continue }
            headers[line[..<colon].lowercased()] = String(
                line[line.index(after: colon)...].drop { $0 == " " })
        }
        buffered.removeFirst(headEnd! + 4)
        var length = headers["content-length"].flatMap { Int($0) } ?? 0
        var request = Request(method: words[0], target: words[1], headers: headers, body: [])
        let cut = length > 0 ? cutting(request) : nil
        if let cut { length = min(length, cut) }
        while buffered.count < length {
            if !receive(connection, &buffered) { return nil }
        }
        request.body = Array(buffered[..<length])
        buffered.removeFirst(length)
        return (request, cut != nil)
    }

    private static func end(ofHeadIn bytes: [UInt8]) -> Int? {
        let marker = Array("\r\n\r\n".utf8)
        guard bytes.count >= 4 else { return nil }
        return (0...(bytes.count - 4)).first { bytes[$0..<($0 + 4)].elementsEqual(marker) }
    }

    private static func receive(_ connection: CInt, _ buffered: inout [UInt8]) -> Bool {
        var chunk = [UInt8](repeating: 0, count: 65536)
        let count = recv(connection, &chunk, chunk.count, 0)
        if count > 0 { buffered.append(contentsOf: chunk[..<count]) }
        return count > 0
    }
}
