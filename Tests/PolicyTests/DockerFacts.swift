/// What Docker's profile of 2026 allows on x86_64 and aarch64, as facts to compare ours with.
///
/// A file of shipped profiles can be compared with this, too: see `Shipped profiles`.
enum DockerFacts {
    /// Whatever the arguments, on a kernel from 4.8 on.
    static let allowed = words(
        """
        accept accept4 access adjtimex alarm arch_prctl bind brk cachestat capget capset chdir chmod chown \
        clock_adjtime clock_getres clock_gettime clock_nanosleep close close_range connect copy_file_range creat dup \
        dup2 dup3 epoll_create epoll_create1 epoll_ctl epoll_ctl_old epoll_pwait epoll_pwait2 epoll_wait \
        epoll_wait_old eventfd eventfd2 execve execveat exit exit_group faccessat faccessat2 fadvise64 fallocate \
        fanotify_mark fchdir fchmod fchmodat fchmodat2 fchown fchownat fcntl fdatasync fgetxattr flistxattr flock fork \
        fremovexattr fsetxattr fstat fstatfs fsync ftruncate futex futex_requeue futex_wait futex_waitv futex_wake \
        futimesat get_robust_list get_thread_area getcpu getcwd getdents getdents64 getegid geteuid getgid getgroups \
        getitimer getpeername getpgid getpgrp getpid getppid getpriority getrandom getresgid getresuid getrlimit \
        getrusage getsid getsockname getsockopt gettid gettimeofday getuid getxattr getxattrat inotify_add_watch \
        inotify_init inotify_init1 inotify_rm_watch io_cancel io_destroy io_getevents io_pgetevents io_setup io_submit \
        ioctl ioprio_get ioprio_set kill landlock_add_rule landlock_create_ruleset landlock_restrict_self lchown \
        lgetxattr link linkat listen listmount listxattr listxattrat llistxattr lremovexattr lseek lsetxattr lstat \
        madvise map_shadow_stack membarrier memfd_create memfd_secret mincore mkdir mkdirat mknod mknodat mlock mlock2 \
        mlockall mmap modify_ldt mprotect mq_getsetattr mq_notify mq_open mq_timedreceive mq_timedsend mq_unlink \
        mremap mseal msgctl msgget msgrcv msgsnd msync munlock munlockall munmap name_to_handle_at nanosleep \
        newfstatat open openat openat2 pause pidfd_open pidfd_send_signal pipe pipe2 pkey_alloc pkey_free \
        pkey_mprotect poll ppoll prctl pread64 preadv preadv2 prlimit64 process_mrelease process_vm_readv \
        process_vm_writev pselect6 ptrace pwrite64 pwritev pwritev2 read readahead readlink readlinkat readv recvfrom \
        recvmmsg recvmsg remap_file_pages removexattr removexattrat rename renameat renameat2 restart_syscall rmdir \
        rseq rt_sigaction rt_sigpending rt_sigprocmask rt_sigqueueinfo rt_sigreturn rt_sigsuspend rt_sigtimedwait \
        rt_tgsigqueueinfo sched_get_priority_max sched_get_priority_min sched_getaffinity sched_getattr sched_getparam \
        sched_getscheduler sched_rr_get_interval sched_setaffinity sched_setattr sched_setparam sched_setscheduler \
        sched_yield seccomp select semctl semget semop semtimedop sendfile sendmmsg sendmsg sendto set_robust_list \
        set_thread_area set_tid_address setfsgid setfsuid setgid setgroups setitimer setpgid setpriority setregid \
        setresgid setresuid setreuid setrlimit setsid setsockopt setuid setxattr setxattrat shmat shmctl shmdt shmget \
        shutdown sigaltstack signalfd signalfd4 socketpair splice stat statfs statmount statx symlink symlinkat sync \
        sync_file_range syncfs sysinfo tee tgkill time timer_create timer_delete timer_getoverrun timer_gettime \
        timer_settime timerfd_create timerfd_gettime timerfd_settime times tkill truncate umask uname unlink unlinkat \
        uretprobe utime utimensat utimes vfork vmsplice wait4 waitid write writev
        """)

    /// Besides, for processes whose bounding set has the capability.
    static let allowedByCapability: [String: Set<String>] = [
        "DAC_READ_SEARCH": words("open_by_handle_at"),
        "SYS_ADMIN": words(
            "bpf clone clone3 fanotify_init fsconfig fsmount fsopen fspick lookup_dcookie lsm_get_self_attr lsm_list_modules lsm_set_self_attr mount mount_setattr move_mount open_tree perf_event_open quotactl quotactl_fd setdomainname sethostname setns syslog umount2 unshare"
        ),
        "SYS_BOOT": words("reboot"),
        "SYS_CHROOT": words("chroot"),
        "SYS_MODULE": words("delete_module finit_module init_module"),
        "SYS_PACCT": words("acct"),
        "SYS_PTRACE": words(
            "kcmp pidfd_getfd process_madvise process_vm_readv process_vm_writev ptrace"),
        "SYS_RAWIO": words("ioperm iopl"),
        "SYS_TIME": words("clock_settime settimeofday"),
        "SYS_TTY_CONFIG": words("vhangup"),
        "SYS_NICE": words("get_mempolicy mbind set_mempolicy set_mempolicy_home_node"),
        "SYSLOG": words("syslog"),
        "BPF": words("bpf"),
        "PERFMON": words("perf_event_open"),
    ]

    /// By arguments.
    static let conditional = words("socket personality clone")

    /// With this error instead of EPERM.
    static let missing = words("clone3")

    static let refusedFamilies: Set<UInt64> = [38, 40]
    static let personalities: Set<UInt64> = [0, 8, 0x20000, 0x20008, 0xFFFF_FFFF]
    static let refusedCloneFlags: UInt64 = 0x7E02_0000

    static func words(_ text: String) -> Set<String> {
        Set(text.split(whereSeparator: \.isWhitespace).map(String.init))
    }
}
