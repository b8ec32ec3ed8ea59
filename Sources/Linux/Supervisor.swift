import CShims
import Glibc
public import SystemPackage

/// What is done about a watched call.
public enum CallHandler: UInt8, Sendable {
    case chown = 1
    case lchown, fchown, fchownat, setuid, setgid, setreuid, setregid, setresuid, setresgid
    case setgroups, getAttribute, setAttribute, removeAttribute, listAttributes, listLinkAttributes
    case listDescriptorAttributes, connect, sendTo, sendMessage, sendMessages
    /// As if the kernel had no such call.
    case missing
}

/// A call that waits for the supervisor's answer.
public struct NotifiedCall: Sendable {
    public var number: UInt32
    /// An AUDIT_ARCH number.
    public var architecture: UInt32
    /// The registers, as an array of the moment.
    public var arguments: [UInt64] {
        let a = registers
        return [a.0, a.1, a.2, a.3, a.4, a.5]
    }

    let registers: (UInt64, UInt64, UInt64, UInt64, UInt64, UInt64)
    let id: UInt64
    let tid: UInt32
}

/// What decides about notified calls, and keeps them on record. All of it is called by the supervisor's thread.
public protocol SupervisorRecords: AnyObject, Sendable {
    /// Whether the policy refuses the call; if so it is put on record, and refused with EPERM.
    func isDenied(_ call: NotifiedCall, by caller: CallerMemory) -> Bool

    /// Puts on record that the call wanted ids which the map does not have.
    func miss(_ call: NotifiedCall, by caller: CallerMemory, uids: [UInt32], gids: [UInt32])

    /// Puts on record that the call wanted to reach a refused address; it gets EPERM.
    func refuse(
        _ call: NotifiedCall, by caller: CallerMemory, reaching address: IPAddress, port: UInt16)
}

/// Serves the listener of one step on a thread of its own.
///
/// The thread ends with the last process of the step, or by `stop()`. If it fails, the step is killed: a call without an answer would
/// wait for ever.
public final class Supervisor: Sendable {
    /// What a supervisor needs to know.
    public struct Settings: Sendable {
        /// By call number.
        public var handlers: [UInt8]
        /// Nil where missing ids are the kernel's business alone.
        public var idMaps: (uid: IDMap, gid: IDMap)?
        public var hidesOwnerRecords: Bool
        public var dropsGroups: Bool
        /// Where nothing connects to but name servers.
        public var refusedAddresses: [IPAddress]

        public init(
            handlers: [UInt32: CallHandler], idMaps: (uid: IDMap, gid: IDMap)?,
            hidesOwnerRecords: Bool, dropsGroups: Bool, refusedAddresses: [IPAddress] = []
        ) {
            self.refusedAddresses = refusedAddresses
            self.handlers = [UInt8](repeating: 0, count: Int(handlers.keys.max() ?? 0) + 1)
            for (number, handler) in handlers { self.handlers[Int(number)] = handler.rawValue }
            self.idMaps = idMaps
            self.hidesOwnerRecords = hidesOwnerRecords
            self.dropsGroups = dropsGroups
        }
    }

    /// Whether this process could supervise a step at all: a kernel or a filter above us may refuse what that takes.
    public static func check() throws(SystemError) {
        // No process has descriptor -1: EBADF comes only from a kernel that would do it.
        let taken = sbx_pidfd_getfd(-1, -1)
        if taken != -EBADF { throw SystemError("take a listener", Errno(rawValue: -taken)) }
        var byte: UInt8 = 1
        let read = withUnsafeMutablePointer(to: &byte) { byte in
            sbx_read_memory(UInt32(getpid()), UInt64(UInt(bitPattern: byte)), byte, 1)
        }
        if read != 1 { throw SystemError("read a process's memory", Errno(rawValue: CInt(-read))) }
        // Callers are looked up there by their numbers: it must be the /proc of our own PID namespace.
        let own = try during("read /proc/self") { () throws(Errno) in
            try FileDescriptor.workingDirectory.readLink("/proc/self".utf8)
        }
        if own != Array("\(getpid())".utf8) {
            throw SystemError("find this process in /proc", .noSuchProcess)
        }
    }

    private let thread: pthread_t
    private let service: Service
    private let stopping: OwnedDescriptor

    /// Starts the thread.
    ///
    /// - Parameter child: whose listener it is; not let go yet.
    public init(
        listener: SharedDescriptor, of child: borrowing Child, _ settings: Settings,
        records: any SupervisorRecords
    ) throws(Errno) {
        let pipe = try Pipe()
        let proc = try FileDescriptor.workingDirectory.open(
            "/proc", [.readOnly, .directory], resolve: .system)
        // While init waits: its namespaces can't be seen after its end.
        var userNamespace: UInt64 = 0
        _ = try Errno.check(sbx_user_namespace(proc.raw, UInt32(child.pid), &userNamespace))
        let service = Service(
            listener: listener, proc: proc, stop: try pipe.reading.duplicate(),
            step: try child.handle(), userNamespace: userNamespace, settings, records)
        self.service = service
        stopping = try pipe.writing.duplicate()
        let box = Unmanaged.passRetained(service)
        var thread = pthread_t()
        let error = pthread_create(
            &thread, nil,
            { raw in
                Unmanaged<Service>.fromOpaque(raw!).takeRetainedValue().run()
                return nil
            }, box.toOpaque())
        if error != 0 {
            box.release()
            throw Errno(rawValue: error)
        }
        self.thread = thread
    }

    /// Ends the thread and waits for it; once.
    ///
    /// - Throws: why the listener could not be served to its end.
    public func stop() throws(Errno) {
        _ = sbx_let_go(stopping.raw)
        pthread_join(thread, nil)
        if service.result < 0 { throw Errno(rawValue: -service.result) }
    }
}

/// What the thread works with.
private final class Service: @unchecked Sendable {
    // Proof of Sendable: everything but `result` is constant, and `result` is written by the thread and read after its join.
    let listener: SharedDescriptor
    let proc, stop: OwnedDescriptor
    let step: ProcessHandle
    let userNamespace: UInt64
    let settings: Supervisor.Settings
    let records: any SupervisorRecords
    var result: CInt = 0

    init(
        listener: SharedDescriptor, proc: consuming OwnedDescriptor,
        stop: consuming OwnedDescriptor, step: ProcessHandle, userNamespace: UInt64,
        _ settings: Supervisor.Settings, _ records: any SupervisorRecords
    ) {
        self.listener = listener
        self.proc = proc
        self.stop = stop
        self.step = step
        self.userNamespace = userNamespace
        self.settings = settings
        self.records = records
    }

    func run() {
        let uids = Self.ranges(settings.idMaps?.uid)
        let gids = Self.ranges(settings.idMaps?.gid)
        let refused = ByteMemory(settings.refusedAddresses.flatMap(\.bytes))
        defer { withExtendedLifetime(refused) {} }
        result = settings.handlers.withUnsafeBufferPointer { handlers in
            uids.withUnsafeBufferPointer { uids in
                gids.withUnsafeBufferPointer { gids in
                    var told = sbx_supervisor()
                    told.listener = listener.borrowed.rawValue
                    told.stop = stop.raw
                    told.proc = proc.raw
                    told.user_namespace = userNamespace
                    told.handlers = handlers.baseAddress
                    told.handler_count = UInt32(handlers.count)
                    told.knows_ids = settings.idMaps == nil ? 0 : 1
                    told.uids = uids.baseAddress
                    told.uid_count = uids.count
                    told.gids = gids.baseAddress
                    told.gid_count = gids.count
                    told.hides_records = settings.hidesOwnerRecords ? 1 : 0
                    told.drops_groups = settings.dropsGroups ? 1 : 0
                    told.refused = refused.start.assumingMemoryBound(to: sbx_address.self)
                    told.refused_count = settings.refusedAddresses.count
                    told.refuse = { context, call, address, port in
                        let service = Unmanaged<Service>.fromOpaque(context!).takeUnretainedValue()
                        service.refuse(call!.pointee, address!.pointee, port)
                    }
                    told.context = Unmanaged.passUnretained(self).toOpaque()
                    told.is_denied = { context, call in
                        let service = Unmanaged<Service>.fromOpaque(context!).takeUnretainedValue()
                        return service.isDenied(call!.pointee) ? 1 : 0
                    }
                    told.miss = { context, call, uids, uidCount, gids, gidCount in
                        let service = Unmanaged<Service>.fromOpaque(context!).takeUnretainedValue()
                        service.miss(
                            call!.pointee, Array(UnsafeBufferPointer(start: uids, count: uidCount)),
                            Array(UnsafeBufferPointer(start: gids, count: gidCount)))
                    }
                    return sbx_supervise(&told)
                }
            }
        }
        if result < 0 { step.kill() }
    }

    private static func ranges(_ map: IDMap?) -> [sbx_id_range] {
        map?.extents.map { sbx_id_range(first: $0.inside, count: $0.count) } ?? []
    }

    private func isDenied(_ call: sbx_call) -> Bool {
        records.isDenied(NotifiedCall(call), by: memory(of: call))
    }

    private func miss(_ call: sbx_call, _ uids: [UInt32], _ gids: [UInt32]) {
        records.miss(NotifiedCall(call), by: memory(of: call), uids: uids, gids: gids)
    }

    private func refuse(_ call: sbx_call, _ address: sbx_address, _ port: UInt16) {
        let address = IPAddress(bytes: withUnsafeBytes(of: address) { Array($0) })
        records.refuse(NotifiedCall(call), by: memory(of: call), reaching: address, port: port)
    }

    private func memory(of call: sbx_call) -> CallerMemory {
        CallerMemory(
            proc: proc.borrowed, listener: listener.borrowed, tid: call.tid, id: call.id)
    }
}

extension NotifiedCall {
    init(_ call: sbx_call) {
        self.init(
            number: call.number, architecture: call.architecture,
            registers: call.arguments, id: call.id, tid: call.tid)
    }
}

/// What can be known of the process that waits in a call; for the length of that call.
public struct CallerMemory: Sendable {
    let proc, listener: FileDescriptor
    let tid: UInt32
    let id: UInt64

    /// Whether it still waits. If not, nothing that was read before is to be believed.
    public var waits: Bool { sbx_call_waits(listener.rawValue, id) != 0 }

    /// The path of its program in its own mounts, cut at the buffer's size; empty where it can't be read.
    public func program(into buffer: UnsafeMutableBufferPointer<CChar>) -> Int {
        max(sbx_caller_program(proc.rawValue, tid, buffer.baseAddress, buffer.count), 0)
    }

    /// The words it was started with, of 4 KiB at most.
    public func words() -> [[UInt8]] {
        let bytes = Self.bytes(4096) { sbx_caller_words(proc.rawValue, tid, $0, 4096) } ?? []
        var words = bytes.split(separator: 0, omittingEmptySubsequences: false).map { Array($0) }
        if bytes.last == 0 { words.removeLast() }
        return bytes.isEmpty ? [] : words
    }

    /// The text at an address of its memory; nil where it can't be read.
    public func text(at address: UInt64, limit: Int) -> (bytes: [UInt8], isCut: Bool)? {
        guard let bytes = Self.bytes(limit, { sbx_read_text(tid, address, $0, limit) }) else {
            return nil
        }
        return (bytes, bytes.count == limit)
    }

    private static func bytes(_ limit: Int, _ read: (UnsafeMutablePointer<CChar>) -> Int)
        -> [UInt8]?
    {
        var result = 0
        let bytes = [UInt8](unsafeUninitializedCapacity: limit) { buffer, count in
            result = buffer.withMemoryRebound(to: CChar.self) { read($0.baseAddress!) }
            count = max(result, 0)
        }
        return result < 0 ? nil : bytes
    }
}
