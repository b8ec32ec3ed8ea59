import TestSupport
import Testing

@Suite(.enabled(if: TestHost.allowsSandboxes, needsSandboxes))
struct `The mounts of a RUN` {
    private static let always = [
        "/ rw,nosuid,nodev overlay",
        "/dev rw,nosuid,noexec tmpfs",
        "/dev/null ro,nosuid,noexec devtmpfs",
        "/dev/zero ro,nosuid,noexec devtmpfs",
        "/dev/full ro,nosuid,noexec devtmpfs",
        "/dev/random ro,nosuid,noexec devtmpfs",
        "/dev/urandom ro,nosuid,noexec devtmpfs",
        "/dev/tty ro,nosuid,noexec devtmpfs",
        "/dev/shm rw,nosuid,nodev,noexec tmpfs",
        "/etc/resolv.conf rw,nosuid,nodev,noexec tmpfs",
        "/etc/hosts rw,nosuid,nodev,noexec tmpfs",
        "/etc/hostname rw,nosuid,nodev,noexec tmpfs",
        "/proc rw,nosuid,nodev,noexec proc",
        "/dev/pts rw,nosuid,noexec devpts",
        "/dev/mqueue rw,nosuid,nodev,noexec mqueue",
    ]

    /// Covers of what not every kernel has.
    private static let covers = [
        "/proc/acpi ro,nosuid,nodev,noexec tmpfs", "/proc/asound ro,nosuid,nodev,noexec tmpfs",
        "/proc/scsi ro,nosuid,nodev,noexec tmpfs", "/proc/interrupts ro,nosuid,noexec devtmpfs",
        "/proc/kcore ro,nosuid,noexec devtmpfs", "/proc/keys ro,nosuid,noexec devtmpfs",
        "/proc/latency_stats ro,nosuid,noexec devtmpfs",
        "/proc/sched_debug ro,nosuid,noexec devtmpfs", "/proc/timer_list ro,nosuid,noexec devtmpfs",
        "/proc/timer_stats ro,nosuid,noexec devtmpfs", "/proc/bus ro,nosuid,nodev,noexec proc",
        "/proc/fs ro,nosuid,nodev,noexec proc", "/proc/irq ro,nosuid,nodev,noexec proc",
        "/proc/sys ro,nosuid,nodev,noexec proc", "/proc/sysrq-trigger ro,nosuid,nodev,noexec proc",
        "/proc/1/oom_adj ro,nosuid,nodev,noexec proc",
        "/proc/1/oom_score_adj ro,nosuid,nodev,noexec proc",
        "/proc/1/task/1/oom_adj ro,nosuid,nodev,noexec proc",
        "/proc/1/task/1/oom_score_adj ro,nosuid,nodev,noexec proc",
        "/sys/dev ro,nosuid,nodev,noexec tmpfs",
        "/sys/devices/virtual/powercap ro,nosuid,nodev,noexec tmpfs",
        "/sys/firmware ro,nosuid,nodev,noexec tmpfs",
        "/sys/fs/selinux ro,nosuid,nodev,noexec tmpfs",
    ]

    /// Proves that there is nothing but what we mean to be there, with the rights that we mean, and shared with nobody.
    @Test(arguments: ["host", "none"])
    func `are exactly these`(network: String) throws {
        let seen = try seen(
            inside: "cut -d' ' -f5- /proc/self/mountinfo", ["--network", network])
        // Fields: place, options, optional fields, `-`, type, source, options of the file system.
        let mounts = seen.lines.map { line -> String in
            let words = line.split(separator: " ").map(String.init)
            let type = words.firstIndex(of: "-").map { words[$0 + 1] } ?? "?"
            let options = words[1].replacing(",relatime", with: "")
            return "\(words[0]) \(options) \(type)\(words[2] == "-" ? "" : " \(words[2])")"
        }
        // The host's /sys tells of its network: only with a network of its own does a RUN get one.
        let sys = "/sys ro,nosuid,nodev,noexec \(network == "host" ? "tmpfs" : "sysfs")"
        func isBelow(_ mount: String) -> Bool {
            mount.hasPrefix("/proc/") || mount.hasPrefix("/sys/")
        }
        #expect(mounts.filter { !isBelow($0) } == Self.always + [sys])
        let below = mounts.filter(isBelow)
        #expect(below.contains { $0.hasPrefix("/sys/dev ") } == (network == "none"))
        #expect(Set(below).isSubset(of: Self.covers), "\(below)")
        #expect(below.contains { $0.hasPrefix("/proc/sys ") })
        #expect(below.contains { $0.hasPrefix("/proc/keys ") })
        #expect(below.contains { $0.hasPrefix("/proc/1/oom_score_adj ") })
    }

    /// Proves that /dev has six devices and the usual links, and nothing else.
    @Test func `make a small /dev`() throws {
        let seen = try seen(inside: "cd /dev; for n in *; do stat -c '%n %F %t,%T %a' $n; done")
        #expect(
            seen.lines == [
                "core symbolic link 0,0 777", "fd symbolic link 0,0 777",
                "full character special file 1,7 666", "mqueue directory 0,0 1777",
                "null character special file 1,3 666", "ptmx symbolic link 0,0 777",
                "pts directory 0,0 755", "random character special file 1,8 666",
                "shm directory 0,0 1777", "stderr symbolic link 0,0 777",
                "stdin symbolic link 0,0 777", "stdout symbolic link 0,0 777",
                "tty character special file 5,0 666", "urandom character special file 1,9 666",
                "zero character special file 1,5 666",
            ])
    }

    /// Proves that a network of its own is one with a loopback device and nothing else, and its settings stay closed.
    @Test func `give --network none a loopback that works, and no more`() throws {
        let seen = try seen(
            inside: """
                ls /sys/class/net
                ip -o addr | awk '{ print $2, $4 }'
                (echo hello | nc -l -p 4000 > /dev/null) &
                until cat /proc/net/tcp /proc/net/tcp6 2> /dev/null | grep -q ':0FA0 .* 0A '; do sleep 0.1; done
                nc 127.0.0.1 4000 < /dev/null
                probe open /proc/sys/net/ipv4/ip_forward
                cat /etc/resolv.conf
                """, ["--network", "none"])
        #expect(
            seen.lines == [
                "lo", "lo 127.0.0.1/8", "lo ::1/128", "hello",
                "read:/proc/sys/net/ipv4/ip_forward 2 bytes",
                "write:/proc/sys/net/ipv4/ip_forward EACCES",
            ])
    }

    /// Proves that what tells of the host's hardware and kernel is empty or closed, and its settings cannot be written.
    @Test func `hide and protect what is the host's`() throws {
        let masked = [
            "/proc/acpi", "/proc/asound", "/proc/interrupts", "/proc/kcore", "/proc/keys",
            "/proc/latency_stats",
            "/proc/sched_debug", "/proc/scsi", "/proc/timer_list", "/proc/timer_stats", "/sys/dev",
            "/sys/firmware",
            "/sys/devices/virtual/powercap", "/sys/fs/selinux",
        ]
        let settings = [
            "/proc/sys/kernel/core_pattern", "/proc/sys/kernel/hostname",
            "/proc/sys/vm/overcommit_memory",
            "/proc/sys/kernel/modprobe", "/proc/sysrq-trigger",
            "/proc/sys/user/max_user_namespaces", "/proc/irq/default_smp_affinity",
        ]
        let values = try seen(inside: "probe open \((masked + settings).joined(separator: " "))")
            .values
        for path in masked {
            let value = try #require(values["read:\(path)"])
            #expect(
                ["ENOENT", "EACCES", "0 bytes", "0 entries", "EPERM"].contains(value),
                "\(path): \(value)")
        }
        for path in settings {
            let value = try #require(values["write:\(path)"])
            #expect(["EROFS", "EACCES", "EPERM", "ENOENT"].contains(value), "\(path): \(value)")
        }
    }
}
