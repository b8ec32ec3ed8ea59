/// What one `RUN --mount` asks for, its variables expanded.
public struct RunMount: Sendable, Equatable {
    public enum Kind: String, Sendable, CaseIterable { case bind, cache, tmpfs, secret, ssh }
    public enum Sharing: String, Sendable, CaseIterable { case shared, `private`, locked }

    public var kind: Kind = .bind
    /// A stage, a named context or an image; nil: the build context, or nothing for a cache.
    public var from: String?
    public var source: String?
    public var target: String?
    public var isReadOnly = true
    /// Bytes a tmpfs may hold.
    public var size: Int?
    /// Of a cache, secret or ssh agent.
    public var id: String?
    /// Nil means `shared`, and is for caches only.
    public var sharing: Sharing?
    public var isRequired = false
    /// The environment variable that gets a secret.
    public var environment: String?
    public var mode: UInt32?
    public var uid: UInt32?
    public var gid: UInt32?

    public init() {}
}

/// A `--mount` flag as it was written.
public struct MountFlag: Sendable, Equatable {
    public struct Option: Sendable, Equatable {
        /// In lower case.
        public var key: String
        /// Nil where there is no `=`.
        public var value: String?
        public var range: SourceRange
    }
    public var options: [Option]
    public var word: Word

    /// Every option that a mount may have; which types take it is another matter.
    public static let optionNames = [
        "type", "from", "source", "src", "target", "dst", "destination", "readonly", "ro",
        "readwrite", "rw", "id", "sharing", "required", "size", "mode", "uid", "gid", "env",
    ]

    /// Where files come from, if it was said; variables are refused in it.
    public var from: String? {
        options.last { $0.key == "from" }.flatMap { ($0.value ?? "").isEmpty ? nil : $0.value }
    }

    /// The mount, each value expanded by `expand`.
    ///
    /// - Throws: `DockerfileError.Problem` as a fault of the flag, when an option is unknown or does not fit.
    func mount(
        expanding expand: (String) throws(ExpansionError) -> String
    ) throws(Fault) -> RunMount {
        var reader = MountReader()
        for option in options {
            do throws(Fault) {
                var option = option
                if let value = option.value {
                    do throws(ExpansionError) {
                        option.value = try expand(value)
                    } catch { throw Fault(.expansion(error)) }
                }
                try reader.read(option)
            } catch { throw Fault(error.problem, at: option.range) }
        }
        do throws(Fault) {
            return try reader.finished()
        } catch { throw Fault(error.problem, at: word.range) }
    }
}

/// Collects the options of one mount, in their order: the type comes before what depends on it.
private struct MountReader {
    private var mount = RunMount()
    private var saysAccess = false

    mutating func read(_ option: MountFlag.Option) throws(Fault) {
        let key = option.key
        guard MountFlag.optionNames.contains(key) else {
            let near = nearest(to: key, among: MountFlag.optionNames)
            throw Fault(.unknownMountOption(key, suggestion: near))
        }
        switch key {
        case "readonly", "ro": try access(option, meansReadOnly: true)
        case "readwrite", "rw": try access(option, meansReadOnly: false)
        case "required":
            try allow(key, for: [.secret, .ssh])
            mount.isRequired = try truth(option)
        default:
            guard let value = option.value else { throw Fault(.mountOptionWithoutValue(key)) }
            try read(key, value)
        }
    }

    private mutating func read(_ key: String, _ value: String) throws(Fault) {
        let text = value.isEmpty ? nil : value
        switch key {
        case "type":
            guard let kind = RunMount.Kind(rawValue: value.lowercased()) else {
                let near = nearest(to: value, among: RunMount.Kind.allCases.map(\.rawValue))
                throw Fault(.unknownMountType(value, suggestion: near))
            }
            mount.kind = kind
        case "from": mount.from = text
        case "source", "src": mount.source = text
        case "target", "dst", "destination": mount.target = text
        case "id": mount.id = text
        case "env": mount.environment = text
        case "sharing":
            guard let sharing = RunMount.Sharing(rawValue: value.lowercased()) else {
                throw Fault(.invalidMountOption(key, value: value))
            }
            mount.sharing = sharing
        case "size":
            try allow(key, for: [.tmpfs])
            guard let size = byteCount(value) else {
                throw Fault(.invalidMountOption(key, value: value))
            }
            mount.size = size
        case "mode": mount.mode = try number(key, value, radix: 8)
        case "uid": mount.uid = try number(key, value, radix: 10)
        default: mount.gid = try number(key, value, radix: 10)
        }
    }

    func finished() throws(Fault) -> RunMount {
        var mount = mount
        let name = mount.kind.rawValue
        if !saysAccess { mount.isReadOnly = mount.kind != .cache && mount.kind != .tmpfs }
        for (key, isSet, kinds) in uses where isSet && !kinds.contains(mount.kind) {
            throw Fault(.mountOptionNotForType(key, type: name))
        }
        guard mount.kind == .secret else { return mount }
        if mount.source == nil, mount.target == nil, mount.id == nil {
            throw Fault(.secretWithoutName)
        }
        if mount.source != nil, mount.id != nil { throw Fault(.secretWithSourceAndID) }
        return mount
    }

    /// Options that only some types take, and whether they were given.
    private var uses: [(key: String, isSet: Bool, kinds: Set<RunMount.Kind>)] {
        let owned: Set<RunMount.Kind> = [.cache, .secret, .ssh]
        return [
            ("mode", mount.mode != nil, owned),
            ("uid", mount.uid != nil, owned),
            ("gid", mount.gid != nil, owned),
            ("id", mount.id != nil, owned),
            ("from", mount.from != nil, [.bind, .cache]),
            ("source", mount.source != nil, [.bind, .cache, .secret]),
            ("sharing", mount.sharing != nil, [.cache]),
            ("env", mount.environment != nil, [.secret]),
        ]
    }

    private mutating func access(
        _ option: MountFlag.Option, meansReadOnly: Bool
    ) throws(Fault) {
        let isReadOnly = try truth(option) == meansReadOnly
        // The type stands before what depends on it. These two can't be written to, and are what they are.
        if !isReadOnly { try allow(option.key, for: [.bind, .cache, .tmpfs]) }
        mount.isReadOnly = isReadOnly
        saysAccess = true
    }

    private func truth(_ option: MountFlag.Option) throws(Fault) -> Bool {
        guard let value = option.value else { return true }
        guard let truth = goBool(value) else {
            throw Fault(.invalidMountOption(option.key, value: value))
        }
        return truth
    }

    private func allow(_ key: String, for kinds: [RunMount.Kind]) throws(Fault) {
        guard kinds.contains(mount.kind) else {
            throw Fault(.mountOptionNotForType(key, type: mount.kind.rawValue))
        }
    }

    private func number(_ key: String, _ value: String, radix: Int) throws(Fault) -> UInt32 {
        guard !value.hasPrefix("+"), let number = UInt32(value, radix: radix) else {
            throw Fault(.invalidMountOption(key, value: value))
        }
        return number
    }
}
