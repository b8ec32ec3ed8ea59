import ArgumentParser
import Build

/// `--secret id=NAME,src=FILE` or `id=NAME,env=VARIABLE`; with the id alone the variable or file of that name, as in Docker.
struct SecretOption: Equatable {
    var id: String
    var source: SecretSource

    init(parsing text: String) throws {
        var values: [String: String] = [:]
        for field in text.split(separator: ",", omittingEmptySubsequences: false) {
            let parts = field.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            let key = parts[0] == "source" ? "src" : String(parts[0])
            guard parts.count == 2, ["id", "src", "env", "type"].contains(key),
                values.updateValue(String(parts[1]), forKey: key) == nil
            else {
                throw ValidationError("write it as id=NAME,src=FILE or id=NAME,env=VARIABLE")
            }
        }
        guard let id = values["id"], !id.isEmpty else { throw ValidationError("id= is missing") }
        if values["src"] != nil, values["env"] != nil {
            throw ValidationError("a secret is a file or a variable, not both")
        }
        self.id = id
        switch values["type"] {
        case nil, "file"?:
            source =
                values["env"].map { .environment($0) } ?? .file(values["src"] ?? id)
        case "env"?: source = .environment(values["env"] ?? values["src"] ?? id)
        default: throw ValidationError("the type of a secret is file or env")
        }
    }
}

/// `--ssh ID` for the agent of SSH_AUTH_SOCK, or `--ssh ID=SOCKET`.
struct AgentOption: Equatable {
    var id: String
    var socket: String?

    init(parsing text: String) throws {
        let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        id = String(parts[0])
        socket = parts.count == 2 ? String(parts[1]) : nil
        if id.isEmpty || socket == "" { throw ValidationError("write it as default or ID=SOCKET") }
        if socket == nil, id != "default" {
            throw ValidationError("--ssh \(id) names no socket; write \(id)=SOCKET")
        }
    }
}
