/* Attacks a sandbox from within and prints what came of it, one `name value` a line; an error is its symbol (EPERM).
 *
 *   attack calls              calls that open attack surface of the kernel
 *   attack mounts             the calls of the mount family, old and new
 *   attack foreign            calls by the doors of other machines: int 0x80 and x32
 *   attack namespaces         new namespaces, and those of process 1
 *   attack output FILE        what its standard output and error are good for; the answers go to FILE
 *   attack exe                the file of process 1 and its own, for writing
 *   attack init               process 1: signals, limits, priorities, tracing
 *   attack masks PATH...      takes covers off: unmounts, remounts and binds over each path
 *   attack terminal           types into terminals
 *   attack personality        other personalities
 *   attack filters            filters of its own
 *   attack prctl              options of prctl
 *   attack ioctl              requests of devices and files
 *   attack exhaust            descriptors until there are no more
 *   attack attributes PATH    extended attributes that mean something to overlay, to the host's modules, or to the kernel
 *   attack thread             starts a thread, as a C library does
 *   attack daemons MARK FILE  leaves processes behind that write to FILE, each with MARK in its command line
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/fs.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

extern const char *strerrorname_np(int);
static FILE *answers;

static void say(const char *name, long result) {
    if (result >= 0) fprintf(answers, "%s ok\n", name);
    else fprintf(answers, "%s %s\n", name, strerrorname_np(errno));
    fflush(answers);
}

/* In a process of its own: what comes back may be a signal, two processes, or none. */
static void apart(const char *name, long (*call)(const void *), const void *argument) {
    fflush(answers);
    pid_t child = fork();
    if (child == 0) {
        say(name, call(argument));
        _exit(0);
    }
    int status;
    waitpid(child, &status, 0);
    if (WIFSIGNALED(status)) fprintf(answers, "%s signal %d\n", name, WTERMSIG(status));
}

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
    for (size_t i = 0; i < count; i++) apart(table[i].name, make, &table[i]);
}

static void calls(void) {
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

static void mounts(void) {
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

static void foreign(void) {
#ifdef __x86_64__
    /* i386: getpid, mount, ptrace, umount2, reboot, init_module, clone, keyctl, unshare, setns, bpf, clone3. */
    static const long interrupts[] = {20, 21, 26, 52, 88, 128, 120, 288, 310, 346, 357, 435};
    static const long x32[] = {SYS_getpid, SYS_mount, SYS_reboot, SYS_init_module, SYS_unshare, SYS_setns, SYS_bpf, 512, 545};
    char name[64];
    for (size_t i = 0; i < COUNT(interrupts); i++) {
        snprintf(name, sizeof name, "i386-%ld", interrupts[i]);
        apart(name, by_interrupt, &interrupts[i]);
    }
    for (size_t i = 0; i < COUNT(x32); i++) {
        snprintf(name, sizeof name, "x32-%ld", x32[i]);
        apart(name, by_x32, &x32[i]);
    }
#endif
    say("minus-one", syscall(-1));
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

static void namespaces(void) {
    static const struct { const char *name; unsigned long flag; } flags[] = {
        {"user", CLONE_NEWUSER}, {"mnt", CLONE_NEWNS}, {"pid", CLONE_NEWPID}, {"net", CLONE_NEWNET}, {"ipc", CLONE_NEWIPC},
        {"uts", CLONE_NEWUTS}, {"cgroup", CLONE_NEWCGROUP}, {"user-high", 0x100000000ul | CLONE_NEWUSER},
    };
    char name[64], path[64];
    for (size_t i = 0; i < COUNT(flags); i++) {
        snprintf(name, sizeof name, "unshare-%s", flags[i].name);
        apart(name, unshare_with, &flags[i].flag);
        snprintf(name, sizeof name, "clone-%s", flags[i].name);
        apart(name, clone_with, &flags[i].flag);
        snprintf(name, sizeof name, "clone3-%s", flags[i].name);
        apart(name, clone_three, &flags[i].flag);
        if (i == COUNT(flags) - 1) break;
        snprintf(name, sizeof name, "setns-%s", flags[i].name);
        snprintf(path, sizeof path, "/proc/1/ns/%s", flags[i].name);
        apart(name, enter, path);
        snprintf(name, sizeof name, "setns-self-%s", flags[i].name);
        snprintf(path, sizeof path, "/proc/self/ns/%s", flags[i].name);
        apart(name, enter, path);
    }
    say("max_user_namespaces", open("/proc/sys/user/max_user_namespaces", O_WRONLY | O_CLOEXEC));
}

static void output(void) {
    char name[64], path[64];
    for (int fd = 1; fd <= 2; fd++) {
        struct stat status;
        fstat(fd, &status);
        fprintf(answers, "kind-%d %s\n", fd, S_ISFIFO(status.st_mode) ? "pipe" : "other");
        fprintf(answers, "terminal-%d %d\n", fd, isatty(fd));
        snprintf(name, sizeof name, "truncate-%d", fd);
        say(name, ftruncate(fd, 0));
        snprintf(name, sizeof name, "seek-%d", fd);
        say(name, lseek(fd, 0, SEEK_SET));
        snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
        char target[256] = {0};
        if (readlink(path, target, sizeof target - 1) > 0) target[4] = 0;
        fprintf(answers, "link-%d %s\n", fd, target);
    }
}

/* Whether a file can be opened for writing, by its name or again through a handle. */
static void writable(const char *name, const char *path) {
    char text[64];
    snprintf(text, sizeof text, "%s-write", name);
    say(text, open(path, O_WRONLY | O_CLOEXEC));
    int handle = open(path, O_PATH | O_CLOEXEC);
    if (handle < 0) return say(name, handle);
    char again[64];
    snprintf(again, sizeof again, "/proc/self/fd/%d", handle);
    long result = -1;
    for (int i = 0; i < 2000 && result < 0; i++) result = open(again, O_WRONLY | O_CLOEXEC);
    snprintf(text, sizeof text, "%s-again", name);
    say(text, result);
}

static void init_process(void) {
    say("stop", kill(1, SIGSTOP));
    say("kill", kill(1, SIGKILL));
    say("priority", setpriority(PRIO_PROCESS, 1, 5));
    struct rlimit limit = {1, 1};
    say("limit", prlimit(1, RLIMIT_NOFILE, &limit, NULL));
    say("ioprio", syscall(SYS_ioprio_set, 1, 1, 0));
    say("scheduler", sched_setscheduler(1, SCHED_BATCH, &(struct sched_param){0}));
    say("attach", ptrace(PTRACE_ATTACH, 1, NULL, NULL));
    say("seize", ptrace(PTRACE_SEIZE, 1, NULL, NULL));
    say("memory", open("/proc/1/mem", O_RDWR | O_CLOEXEC));
    say("root", open("/proc/1/root/etc", O_RDONLY | O_CLOEXEC));
    say("directory", open("/proc/1/cwd", O_RDONLY | O_CLOEXEC));
    say("oom", open("/proc/1/oom_score_adj", O_WRONLY | O_CLOEXEC));
    say("oom-old", open("/proc/1/oom_adj", O_WRONLY | O_CLOEXEC));
    say("oom-thread", open("/proc/1/task/1/oom_score_adj", O_WRONLY | O_CLOEXEC));
    say("limit-wide", syscall(SYS_prlimit64, 0x100000001L, RLIMIT_NOFILE, &limit, NULL));
    int map = open("/proc/1/uid_map", O_WRONLY | O_CLOEXEC);
    say("uid_map", map < 0 ? -1 : write(map, "0 0 1", 5));
}

static void masks(int count, char **paths) {
    char name[512];
    for (int i = 0; i < count; i++) {
        const char *path = paths[i];
        snprintf(name, sizeof name, "umount:%s", path);
        say(name, umount2(path, MNT_DETACH));
        snprintf(name, sizeof name, "remount:%s", path);
        say(name, mount(NULL, path, NULL, MS_REMOUNT | MS_BIND, NULL));
        snprintf(name, sizeof name, "bind:%s", path);
        say(name, mount("/tmp", path, NULL, MS_BIND, NULL));
        snprintf(name, sizeof name, "move:%s", path);
        say(name, mount(path, "/tmp", NULL, MS_MOVE, NULL));
    }
}

static void terminal(void) {
    say("tty", open("/dev/tty", O_RDWR | O_CLOEXEC));
    for (int fd = 0; fd <= 2; fd++) {
        static const struct { const char *name; unsigned long request; } requests[] = {
            {"TIOCSTI", 0x5412}, {"TIOCLINUX", 0x541c}, {"TIOCSETD", 0x5423}, {"TIOCSCTTY", 0x540e},
        };
        for (size_t i = 0; i < COUNT(requests); i++)
            for (int high = 0; high <= 1; high++) {
                char name[64], text[2] = {2, 0};
                snprintf(name, sizeof name, "%s-%d%s", requests[i].name, fd, high ? "-high" : "");
                unsigned long request = requests[i].request | (high ? 0x100000000ul : 0);
                say(name, syscall(SYS_ioctl, (long)fd, request, text));
            }
    }
}

static void personalities(void) {
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

static void filters(void) {
    static const struct { const char *name; unsigned word[2]; } table[] = {
        {"allow", {SECCOMP_RET_ALLOW, 0}}, {"log", {SECCOMP_RET_LOG, 0}}, {"tsync", {SECCOMP_RET_ALLOW, 1}},
        {"listener", {SECCOMP_RET_ALLOW, 8}},
    };
    for (size_t i = 0; i < COUNT(table); i++) apart(table[i].name, filter_with, table[i].word);
    /* Under a filter that allows all, ours still holds. */
    static const unsigned allow[] = {SECCOMP_RET_ALLOW, 0};
    filter_with(allow);
    say("mount-after", mount("none", "/tmp", "tmpfs", 0, NULL));
    fprintf(answers, "mode %d\n", prctl(PR_GET_SECCOMP));
}

static void prctls(void) {
    say("no-new-privs-off", prctl(PR_SET_NO_NEW_PRIVS, 0, 0, 0, 0));
    say("no-new-privs", prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
    say("subreaper", prctl(PR_SET_CHILD_SUBREAPER, 1));
    say("death-signal", prctl(PR_SET_PDEATHSIG, SIGTERM));
    say("dumpable", prctl(PR_SET_DUMPABLE, 1));
    say("drop", prctl(PR_CAPBSET_DROP, 13));
    say("ambient", prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, 21, 0, 0));
    say("securebits", prctl(PR_SET_SECUREBITS, 0));
    struct rlimit limit = {RLIM_INFINITY, RLIM_INFINITY};
    say("core", setrlimit(RLIMIT_CORE, &limit));
}

static void ioctls(void) {
    int file = open("/tmp/attack-ioctl", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    int flags = 0;
    say("getflags", ioctl(file, FS_IOC_GETFLAGS, &flags));
    flags |= FS_IMMUTABLE_FL;
    say("immutable", ioctl(file, FS_IOC_SETFLAGS, &flags));
    say("blkrrpart", ioctl(file, BLKRRPART));
    say("kvm", open("/dev/kvm", O_RDWR | O_CLOEXEC));
    say("tun", open("/dev/net/tun", O_RDWR | O_CLOEXEC));
    say("fuse", open("/dev/fuse", O_RDWR | O_CLOEXEC));
    say("sti-high", syscall(SYS_ioctl, 0L, 0xffffffff00005412ul, "x"));
}

static void exhaust(void) {
    long count = 0;
    while (eventfd(0, EFD_CLOEXEC) >= 0) count++;
    fprintf(answers, "eventfds %s\n", count > 100 && count < 2000000 ? "limited" : "?");
    fprintf(answers, "then %s\n", strerrorname_np(errno));
}

static void attributes(const char *path) {
    static const char *const names[] = {"user.overlay.opaque", "user.overlay.whiteout", "user.overlay.redirect",
        "user.overlay.overlay.opaque", "trusted.overlay.opaque", "security.selinux", "security.ima", "user.kept"};
    for (size_t i = 0; i < COUNT(names); i++) say(names[i], setxattr(path, names[i], "y", 1, 0));
}

static void *nothing(void *argument) { return argument; }

static void thread(void) {
    pthread_t id;
    errno = pthread_create(&id, NULL, nothing, NULL);
    say("thread", errno ? -1 : pthread_join(id, NULL));
}

/* Detached as daemons are, deaf to what ends them politely, and busy. */
static void leave(const char *self, const char *mark, const char *file, const char *way) {
    if (fork()) return;
    setsid();
    if (fork()) _exit(0);
    signal(SIGTERM, SIG_IGN);
    signal(SIGHUP, SIG_IGN);
    if (!strcmp(way, "subreaper")) prctl(PR_SET_CHILD_SUBREAPER, 1);
    execl(self, "attack", "busy", mark, file, way, (char *)NULL);
    _exit(1);
}

static void busy(const char *file, const char *way) {
    if (!strcmp(way, "stopped")) raise(SIGSTOP);
    if (!strcmp(way, "subreaper")) fork();
    for (long i = 0;; i++) {
        FILE *out = fopen(file, "a");
        if (out) fprintf(out, "%ld\n", i), fclose(out);
        usleep(1000);
    }
}

int main(int argc, char **argv) {
    const char *command = argc > 1 ? argv[1] : "";
    answers = stdout;
    if (!strcmp(command, "calls")) calls();
    else if (!strcmp(command, "mounts")) mounts();
    else if (!strcmp(command, "foreign")) foreign();
    else if (!strcmp(command, "namespaces")) namespaces();
    else if (!strcmp(command, "output") && argc == 3) answers = fopen(argv[2], "w"), output();
    else if (!strcmp(command, "exe")) writable("own", "/proc/self/exe"), writable("init", "/proc/1/exe");
    else if (!strcmp(command, "init")) init_process();
    else if (!strcmp(command, "masks")) masks(argc - 2, argv + 2);
    else if (!strcmp(command, "terminal")) terminal();
    else if (!strcmp(command, "personality")) personalities();
    else if (!strcmp(command, "filters")) filters();
    else if (!strcmp(command, "prctl")) prctls();
    else if (!strcmp(command, "ioctl")) ioctls();
    else if (!strcmp(command, "exhaust")) exhaust();
    else if (!strcmp(command, "thread")) thread();
    else if (!strcmp(command, "attributes") && argc == 3) attributes(argv[2]);
    else if (!strcmp(command, "busy") && argc == 5) busy(argv[3], argv[4]);
    else if (!strcmp(command, "daemons") && argc == 4) {
        static const char *const ways[] = {"plain", "stopped", "subreaper"};
        for (size_t i = 0; i < COUNT(ways); i++) leave("/proc/self/exe", argv[2], argv[3], ways[i]);
        usleep(200000);
    } else return 64;
    return 0;
}
