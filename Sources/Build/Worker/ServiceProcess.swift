import FoundationEssentials
import Glibc
import Linux
import SystemPackage

/// A process of Lichen's own that serves another one: it gets its orders by a socket on descriptor 3.
enum ServiceProcess {
    /// Takes the first message, a configuration with the descriptors of the store and of its scratch, and serves until `body`
    /// returns. Whoever is served hears of a failure by the end of the socket; words for a person go to standard error.
    static func run<Configuration: Decodable>(
        called name: String,
        _ body: (
            Configuration, MessageSocket, consuming OwnedDescriptor, consuming OwnedDescriptor
        ) throws -> Void
    ) -> Never {
        _ = makeNotDumpable()
        // Two stay open for each RUN of a build. A RUN has limits of its own.
        OwnLimits.raiseOpenFiles()
        let socket = MessageSocket(OwnedDescriptor(owning: 3))
        do {
            guard let hello = try socket.receive(),
                let configuration = try? JSONDecoder().decode(
                    Configuration.self, from: Data(hello.body)),
                let root = hello.takeDescriptor(), let scratch = hello.takeDescriptor()
            else { endProcess(0) }
            try body(configuration, socket, root, scratch)
        } catch {
            try? FileDescriptor.standardError.writeFully(Array("lichen \(name): \(error)\n".utf8))
        }
        endProcess(0)
    }

    /// Serves although it could not begin: whoever asks for something hears why, until there is nobody or a request is the last.
    static func refuse<Request: Codable & Sendable, Reply: Codable & Sendable>(
        _ socket: MessageSocket, _ reply: Reply, isLast: (Request) -> Bool
    ) {
        while let message = try? socket.receive(),
            let request = try? JSONDecoder().decode(
                Numbered<Request>.self, from: Data(message.body)),
            let answer = try? JSONEncoder().encode(Numbered(number: request.number, body: reply))
        {
            // Who is gone needs no answer.
            try? socket.send([UInt8](answer))
            if isLast(request.body) { return }
        }
    }
}
