/// How wide the arguments of each call are, as the kernel reads them.
///
/// A register has 64 bits, but an `int` argument only its lower 32: a filter that compares the whole register is passed
/// by setting a bit above them. The kernel's own declarations are the source, corrected where it declares
/// `unsigned long` and then drops the upper half: the flags of clone, file descriptors, and the mode of mbind.
enum ArgumentTable {
    /// The widths of a call's arguments; nil where we don't know them.
    static func widths(of call: String) -> [ArgumentWidth]? {
        letters[call]?.map { letter in
            switch letter {
            case UInt8(ascii: "i"): .bits32
            case UInt8(ascii: "h"): .bits16
            default: .bits64
            }
        }
    }

    /// The letters of `text` for each call.
    static let letters: [String: [UInt8]] = {
        var table: [String: [UInt8]] = [:]
        for entry in text.split(whereSeparator: \.isWhitespace) {
            let parts = entry.split(separator: ":", omittingEmptySubsequences: false)
            table[String(parts[0])] = Array(parts[1].utf8)
        }
        return table
    }()

    /// `i` is 32 bits, `h` 16, `L` a long, `p` an address.
    private static let text = """
        accept4:ippi accept:ipp access:pi acct:p add_key:pppLi adjtimex:p alarm:i arch_prctl:iL bind:ipi bpf:ipi brk:L
        cachestat:ippi capget:pp capset:pp chdir:p chmod:ph chown:pii chroot:p clock_adjtime:ip clock_getres:ip
        clock_gettime:ip clock_nanosleep:iipp clock_settime:ip clone3:pL clone:ipppL close:i close_range:iii
        connect:ipi copy_file_range:ipipLi creat:ph delete_module:pi dup2:ii dup3:iii dup:i epoll_create1:i
        epoll_create:i epoll_ctl:iiip epoll_pwait2:ipippL epoll_pwait:ipiipL epoll_wait:ipii eventfd2:ii eventfd:i
        execve:ppp execveat:ipppi exit:i exit_group:i faccessat2:ipii faccessat:ipi fadvise64:iLLi fallocate:iiLL
        fanotify_init:ii fanotify_mark:iiLip fchdir:i fchmod:ih fchmodat2:iphi fchmodat:iph fchown:iii
        fchownat:ipiii fcntl:iiL fdatasync:i fgetxattr:ippL file_getattr:ippLi file_setattr:ippLi finit_module:ipi
        flistxattr:ipL flock:ii fork: fremovexattr:ip fsconfig:iippi fsetxattr:ippLi fsmount:iii fsopen:pi fspick:ipi
        fstat:ip fstatfs:ip fsync:i ftruncate:iL futex:piippi futex_requeue:piii futex_wait:pLLipi futex_waitv:piipi
        futex_wake:pLii futimesat:ipp get_mempolicy:ppLLL get_robust_list:ipp getcpu:ppp getcwd:pL getdents64:ipi
        getdents:ipi getegid: geteuid: getgid: getgroups:ip getitimer:ip getpeername:ipp getpgid:i getpgrp: getpid:
        getppid: getpriority:ii getrandom:pLi getresgid:ppp getresuid:ppp getrlimit:ip getrusage:ip getsid:i
        getsockname:ipp getsockopt:iiipp gettid: gettimeofday:pp getuid: getxattr:pppL getxattrat:ipippL
        init_module:pLp inotify_add_watch:ipi inotify_init1:i inotify_init: inotify_rm_watch:ii io_cancel:Lpp
        io_destroy:L io_getevents:LLLpp io_pgetevents:LLLppp io_setup:ip io_submit:LLp io_uring_enter:iiiipL
        io_uring_register:iipi io_uring_setup:ip ioctl:iiL ioperm:LLi iopl:i ioprio_get:ii ioprio_set:iii kcmp:iiiLL
        kexec_file_load:iiLpL kexec_load:LLpL keyctl:iLLLL kill:ii landlock_add_rule:iipi
        landlock_create_ruleset:pLi landlock_restrict_self:ii lchown:pii lgetxattr:pppL link:pp linkat:ipipi
        listen:ii listmount:ppLi listns:ppLi listxattr:ppL listxattrat:ipipL llistxattr:ppL lookup_dcookie:LpL
        lremovexattr:pp lseek:iLi lsetxattr:pppLi lsm_get_self_attr:ippi lsm_list_modules:ppi lsm_set_self_attr:ipii
        lstat:pp madvise:LLi map_shadow_stack:LLi mbind:LLipLi membarrier:iii memfd_create:pi memfd_secret:i
        migrate_pages:iLpp mincore:LLp mkdir:ph mkdirat:iph mknod:phi mknodat:iphi mlock2:LLi mlock:LL mlockall:i
        mmap:LLLLiL modify_ldt:ipL mount:pppLp mount_setattr:ipipL move_mount:ipipi move_pages:iLpppi mprotect:LLL
        mq_getsetattr:ipp mq_notify:ip mq_open:pihp mq_timedreceive:ipLpp mq_timedsend:ipLip mq_unlink:p
        mremap:LLLLL mseal:LLL msgctl:iip msgget:ii msgrcv:ipLLi msgsnd:ipLi msync:LLi munlock:LL munlockall:
        munmap:LL name_to_handle_at:ipppi nanosleep:pp newfstatat:ippi open:pih open_by_handle_at:ipi open_tree:ipi
        open_tree_attr:ipipL openat2:ippL openat:ipih pause: perf_event_open:piiiL personality:i pidfd_getfd:iii
        pidfd_open:ii pidfd_send_signal:iipi pipe2:pi pipe:p pivot_root:pp pkey_alloc:LL pkey_free:i
        pkey_mprotect:LLLi poll:pii ppoll:pippL prctl:iLLLL pread64:ipLL preadv2:ipLLLi preadv:ipLLL prlimit64:iipp
        process_madvise:ipLii process_mrelease:ii process_vm_readv:ipLpLL process_vm_writev:ipLpLL pselect6:ippppp
        ptrace:LLLL pwrite64:ipLL pwritev2:ipLLLi pwritev:ipLLL quotactl:ipip quotactl_fd:iiip read:ipL
        readahead:iLL readlink:ppi readlinkat:ippi readv:ipL reboot:iiip recvfrom:ipLipp recvmmsg:ipiip recvmsg:ipi
        remap_file_pages:LLLLL removexattr:pp removexattrat:ipip rename:pp renameat2:ipipi renameat:ipip
        request_key:pppi restart_syscall: riscv_flush_icache:LLL riscv_hwprobe:pLLpi rmdir:p rseq:piii
        rt_sigaction:ippL rt_sigpending:pL rt_sigprocmask:ippL rt_sigqueueinfo:iip rt_sigreturn: rt_sigsuspend:pL
        rt_sigtimedwait:pppL rt_tgsigqueueinfo:iiip sched_get_priority_max:i sched_get_priority_min:i
        sched_getaffinity:iip sched_getattr:ipii sched_getparam:ip sched_getscheduler:i sched_rr_get_interval:ip
        sched_setaffinity:iip sched_setattr:ipi sched_setparam:ip sched_setscheduler:iip sched_yield: seccomp:iip
        select:ipppp semctl:iiiL semget:iii semop:ipi semtimedop:ipip sendfile:iipL sendmmsg:ipii sendmsg:ipi
        sendto:ipLipi set_mempolicy:ipL set_mempolicy_home_node:LLLL set_robust_list:pL set_tid_address:p
        setdomainname:pi setfsgid:i setfsuid:i setgid:i setgroups:ip sethostname:pi setitimer:ipp setns:ii
        setpgid:ii setpriority:iii setregid:ii setresgid:iii setresuid:iii setreuid:ii setrlimit:ip setsid:
        setsockopt:iiipi settimeofday:pp setuid:i setxattr:pppLi setxattrat:ipippL shmat:ipi shmctl:iip shmdt:p
        shmget:iLi shutdown:ii sigaltstack:pp signalfd4:ipLi signalfd:ipL socket:iii socketpair:iiip splice:ipipLi
        stat:pp statfs:pp statmount:ppLi statx:ipiip swapoff:p swapon:pi symlink:pp symlinkat:pip sync:
        sync_file_range:iLLi syncfs:i sysfs:iLL sysinfo:p syslog:ipi tee:iiLi tgkill:iii time:p timer_create:ipp
        timer_delete:i timer_getoverrun:i timer_gettime:ip timer_settime:iipp timerfd_create:ii timerfd_gettime:ip
        timerfd_settime:iipp times:p tkill:ii truncate:pL umask:i umount2:pi uname:p unlink:p unlinkat:ipi unshare:L
        uprobe: uretprobe: userfaultfd:i ustat:ip utime:pp utimensat:ippi utimes:pp vfork: vhangup: vmsplice:ipLi
        wait4:ipip waitid:iipip write:ipL writev:ipL
        """
}
