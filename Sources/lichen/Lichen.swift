import Build
import Glibc
import OCI
import Store

@main struct Lichen {
    static func main() async {
        let args = CommandLine.arguments
        if args.count > 1, args[1] == WorkerProcess.argument { WorkerProcess.run() }
        do {
            let store = try Store(path: args[1])
            var request = BuildRequest(context: .directory(args[2]))
            for tag in args.dropFirst(3) { request.tags.append(try Reference(parsing: tag)); request.pushes = true }
            let result = try await Builder(store: store) { event in
                if case .stepOutput(_, let bytes) = event { print(String(decoding: bytes, as: UTF8.self), terminator: "") } else { print(event) }
            }.build(request)
            print(result)
        } catch {
            print("error: \(error)")
            if let e = error as? BuildError { print(e.excerpt ?? "", e.hint ?? "") ; exit(e.category.rawValue) }
        }
    }
}
