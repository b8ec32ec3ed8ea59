import Linux
import Sandbox
import Store
import SystemPackage

extension WorkerServer {
    /// How steps get their files here, and what to tell about it.
    struct SnapshotterChoice {
        var isOverlay: Bool
        var notice: String?
    }

    /// Whether overlay works on the store's file system: tried out, because what carries it is known of no type for sure.
    static func choose(_ wanted: Snapshotter, in area: WorkArea) throws -> SnapshotterChoice {
        if wanted == .copy { return SnapshotterChoice(isOverlay: false) }
        let refusal = try overlayRefusal(in: area)
        guard let refusal else { return SnapshotterChoice(isOverlay: true) }
        if wanted == .overlay {
            throw WorkerFailure(
                category: .host, message: "overlay does not work in the store: \(refusal)",
                hint: "--snapshotter copy needs none; --scratch puts what it needs on another disk")
        }
        return SnapshotterChoice(
            isOverlay: false,
            notice:
                "overlay does not work in the store (\(refusal)): each RUN works on a copy, with the same result; "
                + "--scratch DIR on a local disk is faster")
    }

    /// Why there can be no overlay in the work area; nil where there can.
    private static func overlayRefusal(in area: WorkArea) throws -> String? {
        let name = "overlay-probe"
        let directory = area.directory.borrowed
        defer { try? removeTree(name.utf8, in: directory) }
        let place = try during("make directories for an overlay") { () throws(Errno) in
            try directory.makeDirectory(name.utf8, mode: 0o700)
            let place = try directory.open(name, [.readOnly, .directory])
            for part in ["lower", "upper", "work"] {
                try place.borrowed.makeDirectory(part.utf8, mode: 0o700)
            }
            return place
        }
        let lower = try place.borrowed.open("lower", [.readOnly, .directory])
        let upper = try place.borrowed.open("upper", [.readOnly, .directory])
        let work = try place.borrowed.open("work", [.readOnly, .directory])
        do {
            // What trees have to carry, and what a mount has to take.
            try lower.borrowed.makeNode("whiteout".utf8, kind: .characterDevice, mode: 0)
            try lower.borrowed.setExtendedAttribute("user.overlay.opaque".utf8, [0x79])
            _ = try Rootfs(
                lowers: [lower.borrowed], upper: upper.borrowed, work: work.borrowed,
                allowsSetUserID: false)
            return nil
        } catch let error as SandboxError {
            return error.description
        } catch let errno as Errno {
            return "whiteouts and their attributes: \(errno.inWords)"
        }
    }
}
