import Glibc
import Linux
import SystemPackage

extension FactCatalog {
    static let storeFacts: [FactDefinition] = [
        FactDefinition("store.owner", .store, "a store belongs to who builds") { place in
            status(of: place.store) { status in
                if status.st_uid == geteuid() { return .good("own") }
                return .missing(
                    "\(status.st_uid)", "belongs to another user",
                    remedy: "name a directory of yours with --root")
            }
        },
        FactDefinition("store.mode", .store, "setuid files are for nobody else") {
            place in
            status(of: place.store) { status in
                let mode = String(status.st_mode & 0o7777, radix: 8)
                if status.st_mode & 0o077 == 0 { return .good(mode) }
                return .missing(mode, "open to others", remedy: "chmod 700 \(place.store)")
            }
        },
        FactDefinition("store.filesystem", .store, "what carries blobs and trees") {
            fileSystem(of: $0.workPath, $0)
        },
        FactDefinition("overlay.store", .store, "layers are stacked there; else copied") { place in
            place.withWorkDirectory { directory in
                defer { directory.removeOverlayProbe() }
                switch KernelProbe.overlayBelow(directory.rawValue).ask() {
                case .worked: return .good("yes")
                case .refused(let error):
                    return .degraded(
                        "no", error.description,
                        remedy: "put trees on a local ext4, xfs or btrfs with --scratch DIR")
                case .unanswered(let reason): return .unknown(reason)
                }
            }
        },
        FactDefinition("store.reflink", .store, "copies share their blocks") { place in
            place.withWorkDirectory { reflink(in: $0) }
        },
        FactDefinition("store.xattr", .store, "attributes mark opaque directories") { place in
            place.withWorkDirectory { attribute(of: $0) }
        },
        FactDefinition("scratch", .store, "where trees and work go") { place in
            let path = place.workPath
            let existing = Place.existing(path)
            if access(existing, W_OK | X_OK) == 0 {
                return .good(place.scratch == nil ? "store" : "own", path)
            }
            return .missing(
                "no", "\(existing): \(Errno(rawValue: errno).inWords)",
                remedy: "name a directory of yours with --root or --scratch")
        },
        FactDefinition("disk.free", .store, "free MiB there; under 2048 is tight", freeSpace),
    ]

    private static func status(of path: String, _ judge: (stat) -> Finding) -> Finding {
        var status = stat()
        if lstat(path, &status) == 0 {
            if status.st_mode & S_IFMT == S_IFLNK, stat(path, &status) != 0 {
                return .missing("no", "a link that leads nowhere: \(path)")
            }
            return judge(status)
        }
        if errno == ENOENT { return .good("absent", "the first build makes it") }
        return .missing(
            "no", "\(path): \(Errno(rawValue: errno).inWords)",
            remedy: "name a directory of yours with --root")
    }

    private static func fileSystem(of path: String, _ place: Place) -> Finding {
        do throws(Errno) {
            let directory = try place.open(directory: Place.existing(path))
            let type = try directory.borrowed.fileSystemType()
            guard let known = FileSystemName(type: type) else {
                return .good("0x" + String(UInt32(truncatingIfNeeded: type), radix: 16))
            }
            if known.isLocal { return .good(known.name) }
            return .degraded(
                known.name, "steps may work on copies",
                remedy: "put trees on a local disk with --scratch DIR")
        } catch {
            return .unknown("\(path): \(error.inWords)")
        }
    }

    private static func reflink(in directory: FileDescriptor) -> Finding {
        let flags = O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC
        let source = openat(directory.rawValue, "source", flags, 0o600)
        let target = openat(directory.rawValue, "target", flags, 0o600)
        defer {
            close(source)
            close(target)
            unlinkat(directory.rawValue, "source", 0)
            unlinkat(directory.rawValue, "target", 0)
        }
        if source < 0 || target < 0 { return .unknown("no file can be made there") }
        do throws(Errno) {
            try FileDescriptor(rawValue: source).writeFully([1])
            try FileDescriptor(rawValue: target).shareBlocks(of: FileDescriptor(rawValue: source))
            return .good("yes")
        } catch {
            return .degraded("no", error.inWords, remedy: "btrfs, or xfs made with reflink=1")
        }
    }

    private static func attribute(of directory: FileDescriptor) -> Finding {
        do throws(Errno) {
            try directory.setExtendedAttribute("user.overlay.probe".utf8, [0x79])
            return .good("yes")
        } catch {
            return .degraded("no", error.inWords, remedy: "a file system with user attributes")
        }
    }

    private static func freeSpace(_ place: Place) -> Finding {
        do throws(Errno) {
            let directory = try place.open(directory: Place.existing(place.workPath))
            let space = try directory.borrowed.diskSpace()
            let mebibytes = space.available >> 20
            let detail = "of \(space.total >> 20) MiB"
            if mebibytes >= 2048 { return .good("\(mebibytes)", detail) }
            return .degraded("\(mebibytes)", detail, remedy: "free some: lichen prune")
        } catch {
            return .unknown("\(place.workPath): \(error.inWords)")
        }
    }
}

/// What statfs(2) calls a file system.
struct FileSystemName: Equatable {
    var name: String
    /// Whether overlay may stand on it, as a rule.
    var isLocal: Bool

    init?(type: Int64) {
        let known: [UInt32: (String, Bool)] = [
            0xEF53: ("ext4", true), 0x5846_5342: ("xfs", true), 0x9123_683E: ("btrfs", true),
            0x0102_1994: ("tmpfs", true), 0xF2F5_2010: ("f2fs", true), 0x2FC1_2FC1: ("zfs", true),
            0xCA45_1A4E: ("bcachefs", true), 0x794C_7630: ("overlay", false),
            0x6969: ("nfs", false), 0x6573_5546: ("fuse", false), 0xFF53_4D42: ("cifs", false),
            0xFE53_4D42: ("smb2", false), 0x0BD0_0BD0: ("lustre", false),
            0x4750_4653: ("gpfs", false), 0x00C3_6400: ("ceph", false),
            0x5346_414F: ("afs", false), 0x0102_1997: ("9p", false), 0xF15F: ("ecryptfs", false),
            0x4D44: ("vfat", false), 0x2011_BAB0: ("exfat", false),
        ]
        guard let entry = known[UInt32(truncatingIfNeeded: type)] else { return nil }
        (name, isLocal) = entry
    }
}
