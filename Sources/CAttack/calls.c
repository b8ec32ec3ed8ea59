/* System calls that a step has no business with, and those that must not widen what it may do. */
#include "answers.h"

#include <fcntl.h>
#include <linux/filter.h>
#include <linux/fs.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

struct call {
    const char *name;
    long number;
    unsigned long arguments[6];
};

static char zeros[4096];
#define ZEROS ((unsigned long)zeros)

static long make(const void *argument) {
    const struct call *call = argument;
    const unsigned long *a = call->arguments;
    return syscall(call->number, a[0], a[1], a[2], a[3], a[4], a[5]);
}

#define COUNT(table) (sizeof(table) / sizeof(*(table)))

static void make_all(const struct call *table, size_t count) {
    for (size_t i = 0; i < count; i++) atk_apart(table[i].name, make, &table[i]);
}

void atk_calls(void) {
    static const struct call table[] = {
        {"io_uring_setup", 425, {1, ZEROS}}, {"io_uring_enter", 426, {-1ul}}, {"io_uring_register", 427, {-1ul}},
        {"bpf", SYS_bpf, {0, ZEROS, 128}}, {"perf_event_open", SYS_perf_event_open, {ZEROS, 0, -1ul, -1ul}},
        {"userfaultfd", SYS_userfaultfd, {0}}, {"userfaultfd-user", SYS_userfaultfd, {1}},
        {"kexec_load", SYS_kexec_load, {0}}, {"kexec_file_load", 320, {-1ul, -1ul}},
        {"init_module", SYS_init_module, {ZEROS, 0, ZEROS}}, {"finit_module", SYS_finit_module, {-1ul, ZEROS}},
        {"delete_module", SYS_delete_module, {ZEROS}}, {"reboot", SYS_reboot, {0xfee1dead, 672274793}},
        {"swapon", SYS_swapon, {ZEROS}}, {"swapoff", SYS_swapoff, {ZEROS}}, {"acct", SYS_acct, {ZEROS}},
        {"settimeofday", SYS_settimeofday, {ZEROS}}, {"clock_settime", SYS_clock_settime, {0, ZEROS}},
        {"quotactl", SYS_quotactl, {0x80000700, 0, 0, ZEROS}}, {"quotactl_fd", 443, {-1ul}},
        {"fanotify_init", SYS_fanotify_init, {0}}, {"open_by_handle_at", SYS_open_by_handle_at, {-100ul, ZEROS}},
        {"kcmp", SYS_kcmp, {1, 1}}, {"move_pages", SYS_move_pages, {1}}, {"migrate_pages", SYS_migrate_pages, {1}},
        {"syslog", SYS_syslog, {3, ZEROS, 1}}, {"memfd_secret", 447, {0}}, {"process_madvise", 440, {-1ul}},
        {"pidfd_getfd", 438, {-1ul}}, {"keyctl", SYS_keyctl, {0, -3ul}}, {"add_key", SYS_add_key, {ZEROS, ZEROS}},
        {"request_key", SYS_request_key, {ZEROS, ZEROS}}, {"lookup_dcookie", SYS_lookup_dcookie, {0}},
        {"nfsservctl", SYS_nfsservctl, {0}}, {"mbind", SYS_mbind, {0}}, {"vhangup", SYS_vhangup, {0}},
        {"setdomainname", SYS_setdomainname, {ZEROS, 1}}, {"sethostname", SYS_sethostname, {ZEROS, 1}},
        {"fsopen", SYS_fsopen, {ZEROS}}, {"socket-alg", SYS_socket, {38, 5}},
        {"socket-alg-high", SYS_socket, {0x100000026, 5}}, {"socket-vsock", SYS_socket, {40, 1}},
        {"socket-packet", SYS_socket, {17, 3}}, {"socket-bluetooth", SYS_socket, {31, 3}},
#ifdef __x86_64__
        {"iopl", SYS_iopl, {3}}, {"ioperm", SYS_ioperm, {0, 1, 1}}, {"modify_ldt", SYS_modify_ldt, {0, ZEROS}},
        {"uselib", SYS_uselib, {ZEROS}}, {"create_module", SYS_create_module, {ZEROS}}, {"_sysctl", SYS__sysctl, {ZEROS}},
        {"ustat", SYS_ustat, {0, ZEROS}}, {"sysfs", SYS_sysfs, {3}},
#endif
        {"unknown-600", 600, {0}}, {"unknown-1000", 1000, {0}}, {"unknown-5000", 5000, {0}},
        {"unknown-3fffffff", 0x3fffffff, {0}},
    };
    make_all(table, COUNT(table));
}

void atk_mounts(void) {
    static const struct call table[] = {
        {"mount", SYS_mount, {ZEROS, (unsigned long)"/tmp", (unsigned long)"tmpfs"}},
        {"mount-bind", SYS_mount, {(unsigned long)"/etc", (unsigned long)"/tmp", 0, MS_BIND}},
        {"umount2", SYS_umount2, {(unsigned long)"/proc", MNT_DETACH}},
        {"pivot_root", SYS_pivot_root, {(unsigned long)"/", (unsigned long)"/"}},
        {"fsopen", SYS_fsopen, {(unsigned long)"tmpfs"}}, {"fsconfig", SYS_fsconfig, {-1ul}},
        {"fsmount", SYS_fsmount, {-1ul}}, {"fspick", SYS_fspick, {-100ul, (unsigned long)"/"}},
        {"open_tree", SYS_open_tree, {-100ul, (unsigned long)"/", 1}}, {"open_tree_attr", 467, {-100ul}},
        {"move_mount", SYS_move_mount, {-1ul, ZEROS, -1ul, ZEROS, 4}}, {"mount_setattr", 442, {-100ul}},
        {"statmount", 457, {0}}, {"listmount", 458, {0}},
    };
    make_all(table, COUNT(table));
}

#ifdef __x86_64__
static long by_interrupt(const void *argument) {
    long result = *(const long *)argument;
    __asm__ volatile("int $0x80" : "+a"(result) : "b"(0), "c"(0), "d"(0), "S"(0), "D"(0) : "memory", "r8", "r9", "r10", "r11");
    if (result < 0 && result > -4096) errno = (int)-result, result = -1;
    return result;
}

static long by_x32(const void *argument) { return syscall(0x40000000 | *(const long *)argument, 0, 0, 0, 0); }
#endif

void atk_foreign(void) {
#ifdef __x86_64__
    /* i386: getpid, mount, ptrace, umount2, reboot, init_module, clone, keyctl, unshare, setns, bpf, clone3. */
    static const long interrupts[] = {20, 21, 26, 52, 88, 128, 120, 288, 310, 346, 357, 435};
    static const long x32[] = {SYS_getpid, SYS_mount, SYS_reboot, SYS_init_module, SYS_unshare, SYS_setns, SYS_bpf, 512, 545};
    char name[64];
    for (size_t i = 0; i < COUNT(interrupts); i++) {
        snprintf(name, sizeof name, "i386-%ld", interrupts[i]);
        atk_apart(name, by_interrupt, &interrupts[i]);
    }
    for (size_t i = 0; i < COUNT(x32); i++) {
        snprintf(name, sizeof name, "x32-%ld", x32[i]);
        atk_apart(name, by_x32, &x32[i]);
    }
#endif
    atk_say("minus-one", syscall(-1));
}

static long clone_with(const void *argument) {
    long pid = syscall(SYS_clone, *(const unsigned long *)argument | SIGCHLD, 0, 0, 0, 0);
    if (pid == 0) _exit(0);
    return pid;
}

static long unshare_with(const void *argument) { return syscall(SYS_unshare, *(const unsigned long *)argument); }

static long clone_three(const void *argument) {
    struct clone_args args = {.flags = *(const unsigned long *)argument, .exit_signal = SIGCHLD};
    long pid = syscall(SYS_clone3, &args, sizeof args);
    if (pid == 0) _exit(0);
    return pid;
}

static long enter(const void *argument) {
    int fd = open(argument, O_RDONLY | O_CLOEXEC);
    return fd < 0 ? -1 : syscall(SYS_setns, fd, 0);
}

void atk_namespaces(void) {
    static const struct { const char *name; unsigned long flag; } flags[] = {
        {"user", CLONE_NEWUSER}, {"mnt", CLONE_NEWNS}, {"pid", CLONE_NEWPID}, {"net", CLONE_NEWNET}, {"ipc", CLONE_NEWIPC},
        {"uts", CLONE_NEWUTS}, {"cgroup", CLONE_NEWCGROUP}, {"user-high", 0x100000000ul | CLONE_NEWUSER},
    };
    char name[64], path[64];
    for (size_t i = 0; i < COUNT(flags); i++) {
        snprintf(name, sizeof name, "unshare-%s", flags[i].name);
        atk_apart(name, unshare_with, &flags[i].flag);
        snprintf(name, sizeof name, "clone-%s", flags[i].name);
        atk_apart(name, clone_with, &flags[i].flag);
        snprintf(name, sizeof name, "clone3-%s", flags[i].name);
        atk_apart(name, clone_three, &flags[i].flag);
        if (i == COUNT(flags) - 1) break;
        snprintf(name, sizeof name, "setns-%s", flags[i].name);
        snprintf(path, sizeof path, "/proc/1/ns/%s", flags[i].name);
        atk_apart(name, enter, path);
        snprintf(name, sizeof name, "setns-self-%s", flags[i].name);
        snprintf(path, sizeof path, "/proc/self/ns/%s", flags[i].name);
        atk_apart(name, enter, path);
    }
    atk_say("max_user_namespaces", open("/proc/sys/user/max_user_namespaces", O_WRONLY | O_CLOEXEC));
}

void atk_personalities(void) {
    static const struct call table[] = {
        {"linux", SYS_personality, {0}}, {"query", SYS_personality, {0xffffffff}}, {"linux32", SYS_personality, {8}},
        {"no-randomize", SYS_personality, {0x40000}}, {"read-implies-exec", SYS_personality, {0x400000}},
        {"mmap-page-zero", SYS_personality, {0x100000}}, {"bsd", SYS_personality, {6}},
    };
    make_all(table, COUNT(table));
}

static long filter_with(const void *argument) {
    const unsigned *word = argument;
    struct sock_filter code[] = {{BPF_RET | BPF_K, 0, 0, word[0]}};
    struct sock_fprog program = {1, code};
    return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, word[1], &program);
}

void atk_filters(void) {
    static const struct { const char *name; unsigned word[2]; } table[] = {
        {"allow", {SECCOMP_RET_ALLOW, 0}}, {"log", {SECCOMP_RET_LOG, 0}}, {"tsync", {SECCOMP_RET_ALLOW, 1}},
        {"listener", {SECCOMP_RET_ALLOW, 8}},
    };
    for (size_t i = 0; i < COUNT(table); i++) atk_apart(table[i].name, filter_with, table[i].word);
    /* Under a filter that allows all, ours still holds. */
    static const unsigned allow[] = {SECCOMP_RET_ALLOW, 0};
    filter_with(allow);
    atk_say("mount-after", mount("none", "/tmp", "tmpfs", 0, NULL));
    fprintf(atk_answers, "mode %d\n", prctl(PR_GET_SECCOMP));
}

void atk_prctls(void) {
    atk_say("no-new-privs-off", prctl(PR_SET_NO_NEW_PRIVS, 0, 0, 0, 0));
    atk_say("no-new-privs", prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
    atk_say("subreaper", prctl(PR_SET_CHILD_SUBREAPER, 1));
    atk_say("death-signal", prctl(PR_SET_PDEATHSIG, SIGTERM));
    atk_say("dumpable", prctl(PR_SET_DUMPABLE, 1));
    atk_say("drop", prctl(PR_CAPBSET_DROP, 13));
    atk_say("ambient", prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, 21, 0, 0));
    atk_say("securebits", prctl(PR_SET_SECUREBITS, 0));
    struct rlimit limit = {RLIM_INFINITY, RLIM_INFINITY};
    atk_say("core", setrlimit(RLIMIT_CORE, &limit));
}

void atk_ioctls(void) {
    int file = open("/tmp/attack-ioctl", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    int flags = 0;
    atk_say("getflags", ioctl(file, FS_IOC_GETFLAGS, &flags));
    flags |= FS_IMMUTABLE_FL;
    atk_say("immutable", ioctl(file, FS_IOC_SETFLAGS, &flags));
    atk_say("blkrrpart", ioctl(file, BLKRRPART));
    atk_say("kvm", open("/dev/kvm", O_RDWR | O_CLOEXEC));
    atk_say("tun", open("/dev/net/tun", O_RDWR | O_CLOEXEC));
    atk_say("fuse", open("/dev/fuse", O_RDWR | O_CLOEXEC));
    atk_say("sti-high", syscall(SYS_ioctl, 0L, 0xffffffff00005412ul, "x"));
}
