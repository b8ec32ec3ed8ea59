/* The children are forked from a process with threads: async-signal-safe calls only, no malloc, nothing of Swift. */
#include "sbx_probe.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/landlock.h>
#include <linux/openat2.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "sbx_fs.h"
#include "sbx_mount.h"

/* Newer than the headers of Debian 12. */
enum {
    LISTENER = SBX_PROBE_LISTENER,
    SYNC_WAKE_UP = 1,
    SCOPE_SIGNAL = 2,
    SCOPE_ABSTRACT_SOCKET = 1,
    ACCESS_CONNECT_TCP = 2,
    DEEPEST = 8, /* the kernel ends at 33; nobody nests as many builds */
};
#define NOTIF_SET_FLAGS _IOW('!', 4, __u64)
#define CLONE_REFERENCE _IOW(0x94, 9, int)

/* struct landlock_ruleset_attr of ABI 6. */
struct ruleset {
    uint64_t files, network, scoped;
};

typedef struct sbx_probe_answer answer;

static int failed(answer *a, const char *during) {
    a->error = errno;
    strncpy(a->during, during, sizeof a->during - 1);
    return -1;
}

/* Results of the shim: a negative errno. */
static int shim(int result) {
    if (result >= 0) return result;
    errno = -result;
    return -1;
}

static int write_text(const char *path, const char *text) {
    int file = open(path, O_WRONLY | O_CLOEXEC);
    if (file < 0) return -1;
    ssize_t count = write(file, text, strlen(text));
    int error = errno;
    close(file);
    errno = error;
    return count < 0 ? -1 : 0;
}

static pid_t fork_probe(void) { return (pid_t)syscall(SYS_clone, (unsigned long)SIGCHLD, 0ul, 0ul, 0ul, 0ul); }

static _Noreturn void end(int status) {
    for (;;) syscall(SYS_exit_group, status);
}

/* "0 ID 1" */
static void map_text(char text[32], unsigned int id) {
    char digits[12];
    int count = 0;
    do digits[count++] = (char)('0' + id % 10);
    while ((id /= 10) != 0);
    *text++ = '0', *text++ = ' ';
    while (count > 0) *text++ = digits[--count];
    *text++ = ' ', *text++ = '1', *text = '\0';
}

static int write_maps(answer *a, unsigned int uid, unsigned int gid) {
    char text[32];
    /* Linux before 3.19 has no such file, and lets the map be written without. */
    if (write_text("/proc/self/setgroups", "deny") < 0 && errno != ENOENT) return failed(a, "write setgroups");
    map_text(text, uid);
    if (write_text("/proc/self/uid_map", text) < 0) return failed(a, "write uid_map");
    map_text(text, gid);
    if (write_text("/proc/self/gid_map", text) < 0) return failed(a, "write gid_map");
    return 0;
}

/* struct clone_args of Linux 5.3: <linux/sched.h> and <sched.h> can't be included together. */
struct clone_arguments {
    uint64_t flags, pidfd, child_tid, parent_tid, exit_signal, stack, stack_size, tls;
};

static long clone_into(uint64_t flags, int *pidfd) {
    struct clone_arguments arguments = {.flags = flags, .exit_signal = SIGCHLD};
    if (pidfd) arguments.flags |= CLONE_PIDFD, arguments.pidfd = (uint64_t)(uintptr_t)pidfd;
    return syscall(SYS_clone3, &arguments, sizeof arguments);
}

/* Ends as `pid` ends: the child has the rest of the probe, and gives the answer. */
static _Noreturn void follow(pid_t pid) {
    siginfo_t info = {0};
    while (waitid(P_PID, (id_t)pid, &info, WEXITED) < 0 && errno == EINTR) {}
    if (info.si_code != CLD_EXITED) kill((pid_t)syscall(SYS_getpid), info.si_status);
    end(0);
}

/* Root of a new user namespace, and in further ones of `flags`: in a child of clone3, as builds make theirs, or with unshare. */
static int enter(answer *a, int flags) {
    unsigned int uid = geteuid(), gid = getegid();
    long pid = clone_into(CLONE_NEWUSER | (unsigned int)flags, NULL);
    if (pid > 0) follow((pid_t)pid);
    if (pid < 0 && unshare(CLONE_NEWUSER | flags) < 0) return failed(a, "make a user namespace");
    if (write_maps(a, uid, gid) < 0) return -1;
    prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
    /* Where a security module took the new root's rights away, this is the call that fails. */
    if ((flags & CLONE_NEWNS) && mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
        return failed(a, "make mounts private");
    return 0;
}

/* Runs `body` in a process below this one, which is the first of a PID namespace after unshare(CLONE_NEWPID). */
static int below(answer *a, int64_t argument, int (*body)(answer *, int64_t)) {
    int ends[2], status;
    if (pipe2(ends, O_CLOEXEC) < 0) return failed(a, "pipe");
    pid_t pid = fork_probe();
    if (pid < 0) return failed(a, "fork");
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
        body(a, argument);
        (void)!write(ends[1], a, sizeof *a);
        end(0);
    }
    close(ends[1]);
    ssize_t count = read(ends[0], a, sizeof *a);
    if (waitpid(pid, &status, 0) < 0) return failed(a, "wait");
    if (count != (ssize_t)sizeof *a) {
        errno = ECHILD;
        return failed(a, "hear of the child");
    }
    return a->error == 0 ? 0 : -1;
}

/* ---- Namespaces ---- */

static int probe_userns(answer *a, int64_t argument) {
    (void)argument;
    return enter(a, 0);
}

static int probe_depth(answer *a, int64_t argument) {
    (void)argument;
    while (a->value < DEEPEST && enter(a, 0) == 0) a->value++;
    /* The end of the ladder is the answer, unless there is no first step. */
    if (a->value > 0) a->error = 0;
    return 0;
}

static int nothing(answer *a, int64_t argument) {
    (void)a, (void)argument;
    return 0;
}

static int probe_namespace(answer *a, int64_t flag) {
    if (enter(a, (int)flag) < 0) return -1;
    return flag == CLONE_NEWPID ? below(a, 0, nothing) : 0;
}

/* ---- Mounts: on /proc, which every place has, in a mount namespace that ends with the probe ---- */

static int mount_proc(answer *a, int64_t subset) {
    unsigned long flags = MS_NOSUID | MS_NODEV | MS_NOEXEC;
    if (mount("proc", "/proc", "proc", flags, subset ? "subset=pid" : NULL) < 0) return failed(a, "mount proc");
    return 0;
}

static int probe_proc(answer *a, int64_t subset) {
    if (enter(a, CLONE_NEWNS | CLONE_NEWPID) < 0) return -1;
    return below(a, subset, mount_proc);
}

static int probe_mount(answer *a, int64_t which) {
    static const struct {
        const char *type, *options;
        int namespaces;
    } all[] = {
        [SBX_PROBE_TMPFS] = {"tmpfs", NULL, 0},
        [SBX_PROBE_DEVPTS] = {"devpts", "newinstance,ptmxmode=0666,mode=0620", 0},
        [SBX_PROBE_MQUEUE] = {"mqueue", NULL, CLONE_NEWIPC},
        [SBX_PROBE_SYSFS] = {"sysfs", NULL, CLONE_NEWNET},
    };
    if (enter(a, CLONE_NEWNS | all[which].namespaces) < 0) return -1;
    unsigned long flags = MS_NOSUID | MS_NOEXEC;
    if (mount(all[which].type, "/proc", all[which].type, flags, all[which].options) < 0) return failed(a, "mount");
    return 0;
}

static int new_tmpfs(answer *a) {
    int fs = shim(sbx_fsopen("tmpfs"));
    if (fs < 0) return failed(a, "fsopen");
    if (shim(sbx_fsconfig_create(fs)) < 0) return failed(a, "fsconfig");
    int mount = shim(sbx_fsmount(fs, SBX_MOUNT_ATTR_NOSUID));
    return mount < 0 ? failed(a, "fsmount") : mount;
}

static int probe_mount_api(answer *a, int64_t argument) {
    (void)argument;
    if (enter(a, CLONE_NEWNS) < 0) return -1;
    int place = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (place < 0) return failed(a, "open /proc");
    int mount = new_tmpfs(a);
    if (mount < 0) return -1;
    if (shim(sbx_set_mount_attributes(mount, SBX_MOUNT_ATTR_NODEV, 1)) < 0) return failed(a, "mount_setattr");
    if (shim(sbx_move_mount(mount, place)) < 0) return failed(a, "move_mount");
    int copy = shim(sbx_clone_mount(AT_FDCWD, "/proc", 1));
    return copy < 0 ? failed(a, "open_tree") : 0;
}

/* The maps of an id-mapped mount are those of a namespace other than the file system's own. */
static int user_namespace(answer *a) {
    int mapped[2], done[2];
    char byte = 0, path[32] = "/proc/";
    int32_t mapped_pid = 0; /* not that of the fork: entering may take another process */
    if (pipe2(mapped, O_CLOEXEC) < 0 || pipe2(done, O_CLOEXEC) < 0) return failed(a, "pipe");
    pid_t pid = fork_probe();
    if (pid < 0) return failed(a, "fork");
    if (pid == 0) {
        close(done[1]);
        prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
        if (enter(a, 0) == 0) {
            mapped_pid = (int32_t)syscall(SYS_getpid);
            (void)!write(mapped[1], &mapped_pid, sizeof mapped_pid);
        }
        (void)!read(done[0], &byte, 1);
        end(0);
    }
    close(mapped[1]);
    if (read(mapped[0], &mapped_pid, sizeof mapped_pid) != (ssize_t)sizeof mapped_pid) {
        errno = EPERM;
        return failed(a, "map ids below");
    }
    char digits[12];
    int count = 0;
    size_t length = strlen(path);
    for (unsigned int rest = (unsigned int)mapped_pid; rest != 0; rest /= 10) digits[count++] = (char)('0' + rest % 10);
    while (count > 0) path[length++] = digits[--count];
    strcpy(path + length, "/ns/user");
    int namespace = open(path, O_RDONLY | O_CLOEXEC);
    if (namespace < 0) failed(a, "open the namespace");
    close(done[1]);
    return namespace;
}

static int probe_idmap_mount(answer *a, int64_t argument) {
    (void)argument;
    if (enter(a, CLONE_NEWNS) < 0) return -1;
    int mount = new_tmpfs(a);
    if (mount < 0) return -1;
    int namespace = user_namespace(a);
    if (namespace < 0) return -1;
    struct { uint64_t set, clear, propagation, userns; } attributes = {
        .set = 0x00100000 /* MOUNT_ATTR_IDMAP */, .userns = (uint64_t)namespace};
    long result = syscall(SYS_mount_setattr, mount, "", AT_EMPTY_PATH, &attributes, sizeof attributes);
    return result < 0 ? failed(a, "mount_setattr") : 0;
}

/* What layers need of a file system: whiteouts, marks in attributes, and a mount; as Sandbox.Rootfs makes it. */
static int mount_overlay(answer *a, int directory, int lower, int upper, int work) {
    if (mknodat(lower, "whiteout", S_IFCHR, 0) < 0) return failed(a, "make a whiteout");
    if (shim(sbx_fsetxattr(lower, "user.overlay.opaque", "y", 1)) < 0) return failed(a, "set user.overlay.opaque");
    int fs = shim(sbx_fsopen("overlay"));
    if (fs < 0) return failed(a, "fsopen overlay");
    a->value = 2;
    if (sbx_fsconfig_fd(fs, "lowerdir+", lower) < 0) {
        a->value = 1;
        if (fchdir(directory) < 0) return failed(a, "fchdir");
        int result = shim(sbx_mount_overlay("/proc", "userxattr,lowerdir=lower,upperdir=upper,workdir=work", 0));
        return result < 0 ? failed(a, "mount overlay") : 0;
    }
    if (shim(sbx_fsconfig_fd(fs, "upperdir", upper)) < 0) return failed(a, "set upperdir");
    if (shim(sbx_fsconfig_fd(fs, "workdir", work)) < 0) return failed(a, "set workdir");
    if (shim(sbx_fsconfig_flag(fs, "userxattr")) < 0) return failed(a, "set userxattr");
    if (shim(sbx_fsconfig_create(fs)) < 0) return failed(a, "create the overlay");
    int mount = shim(sbx_fsmount(fs, SBX_MOUNT_ATTR_NODEV));
    if (mount < 0) return failed(a, "mount overlay");
    close(fs);
    close(mount);
    return 0;
}

static int overlay_in(answer *a, int directory) {
    static const char *const names[] = {"lower", "upper", "work"};
    int places[3];
    for (int i = 0; i < 3; i++) {
        if (mkdirat(directory, names[i], 0700) < 0) return failed(a, "make a directory");
        places[i] = openat(directory, names[i], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (places[i] < 0) return failed(a, "open a directory");
    }
    return mount_overlay(a, directory, places[0], places[1], places[2]);
}

static int probe_overlay(answer *a, int64_t argument) {
    (void)argument;
    if (enter(a, CLONE_NEWNS) < 0) return -1;
    int tmpfs = new_tmpfs(a);
    if (tmpfs < 0) return -1;
    int place = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (place < 0 || shim(sbx_move_mount(tmpfs, place)) < 0) return failed(a, "attach the tmpfs");
    int directory = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return directory < 0 ? failed(a, "open the tmpfs") : overlay_in(a, directory);
}

static int probe_overlay_below(answer *a, int64_t place) {
    /* A descriptor stays in the mount namespace where it was opened, and overlay takes none of another; the working directory
     * moves along. */
    if (fchdir((int)place) < 0) return failed(a, "fchdir");
    if (enter(a, CLONE_NEWNS) < 0) return -1;
    int directory = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (directory < 0) return failed(a, "open the directory");
    int result = overlay_in(a, directory);
    umount2("/proc", MNT_DETACH);
    /* Overlay's own directory has no rights: as root of the namespace it can go. */
    unlinkat(directory, "work/work/incompat/volatile", AT_REMOVEDIR);
    unlinkat(directory, "work/work/incompat", AT_REMOVEDIR);
    unlinkat(directory, "work/work", AT_REMOVEDIR);
    return result;
}

static int probe_binfmt(answer *a, int64_t argument) {
    (void)argument;
    if (enter(a, CLONE_NEWNS) < 0) return -1;
    if (mount("binfmt_misc", "/proc", "binfmt_misc", 0, NULL) < 0) return failed(a, "mount binfmt_misc");
    if (write_text("/proc/register", ":probe:E::lichen-probe::/bin/false:") < 0) return failed(a, "register");
    return 0;
}

/* ---- Calls ---- */

static int probe_clone3(answer *a, int64_t argument) {
    (void)argument;
    int pidfd = -1;
    long pid = clone_into(0, &pidfd);
    if (pid < 0) return failed(a, "clone3");
    if (pid == 0) end(0);
    int status;
    waitpid((pid_t)pid, &status, 0);
    return 0;
}

static int probe_unshare(answer *a, int64_t argument) {
    (void)argument;
    return unshare(CLONE_FILES) < 0 ? failed(a, "unshare") : 0;
}

static int probe_openat2(answer *a, int64_t argument) {
    (void)argument;
    /* The call itself: sbx_openat2 finds another way. */
    struct open_how how = {.flags = O_PATH | O_DIRECTORY, .resolve = RESOLVE_IN_ROOT};
    return syscall(SYS_openat2, AT_FDCWD, "/", &how, sizeof how) < 0 ? failed(a, "openat2") : 0;
}

static int probe_close_range(answer *a, int64_t argument) {
    (void)argument;
    return syscall(SYS_close_range, ~0u, ~0u, 0u) < 0 ? failed(a, "close_range") : 0;
}

static int probe_pidfd_getfd(answer *a, int64_t argument) {
    (void)argument;
    int ends[2], result = 0;
    char byte;
    if (pipe2(ends, O_CLOEXEC) < 0) return failed(a, "pipe");
    pid_t pid = fork_probe();
    if (pid < 0) return failed(a, "fork");
    if (pid == 0) {
        close(ends[1]);
        (void)!read(ends[0], &byte, 1);
        end(0);
    }
    long pidfd = syscall(SYS_pidfd_open, pid, 0);
    if (pidfd < 0) result = failed(a, "pidfd_open");
    else if (syscall(SYS_pidfd_getfd, pidfd, ends[0], 0) < 0) result = failed(a, "pidfd_getfd");
    close(ends[1]);
    return result;
}

static int probe_memfd(answer *a, int64_t argument) {
    (void)argument;
    return syscall(SYS_memfd_create, "probe", 0x0010u /* MFD_EXEC */) < 0 &&
                   (errno != EINVAL || syscall(SYS_memfd_create, "probe", 0u) < 0)
               ? failed(a, "memfd_create")
               : 0;
}

/* ---- seccomp and Landlock ---- */

static int install_filter(answer *a, unsigned int flags, const char *during) {
    struct sock_filter allow[] = {BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)};
    struct sock_fprog program = {.len = 1, .filter = allow};
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0) return failed(a, "set no_new_privs");
    long result = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &program);
    return result < 0 ? failed(a, during) : (int)result;
}

static int probe_seccomp(answer *a, int64_t flags) {
    return install_filter(a, (unsigned int)flags, "install a filter") < 0 ? -1 : 0;
}

static int probe_listener_nested(answer *a, int64_t argument) {
    (void)argument;
    if (install_filter(a, LISTENER, "install a listener") < 0) return -1;
    return install_filter(a, LISTENER, "install a second listener") < 0 ? -1 : 0;
}

static int probe_listener_sync(answer *a, int64_t argument) {
    (void)argument;
    int listener = install_filter(a, LISTENER, "install a listener");
    if (listener < 0) return -1;
    return ioctl(listener, NOTIF_SET_FLAGS, (uint64_t)SYNC_WAKE_UP) < 0 ? failed(a, "set the listener's flag") : 0;
}

static int probe_landlock_abi(answer *a, int64_t argument) {
    (void)argument;
    long abi = syscall(SYS_landlock_create_ruleset, NULL, 0ul, 1u /* LANDLOCK_CREATE_RULESET_VERSION */);
    if (abi < 0) return failed(a, "landlock_create_ruleset");
    a->value = abi;
    return 0;
}

static int enter_domain(answer *a, const struct ruleset *rules, size_t size) {
    long ruleset = syscall(SYS_landlock_create_ruleset, rules, size, 0u);
    if (ruleset < 0) return failed(a, "landlock_create_ruleset");
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0) return failed(a, "set no_new_privs");
    if (syscall(SYS_landlock_restrict_self, (int)ruleset, 0u) < 0) return failed(a, "landlock_restrict_self");
    return 0;
}

/* A domain that is entered and doesn't hold is none. */
static int has_held(answer *a, int result, int expected) {
    if (result < 0 && errno == expected) return 0;
    if (result >= 0) errno = 0;
    failed(a, "be refused inside the domain");
    if (a->error == 0) a->error = EPROTO;
    return -1;
}

static int probe_landlock_files(answer *a, int64_t argument) {
    (void)argument;
    struct ruleset rules = {.files = LANDLOCK_ACCESS_FS_READ_DIR};
    if (enter_domain(a, &rules, sizeof rules.files) < 0) return -1;
    return has_held(a, open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC), EACCES);
}

static int probe_landlock_network(answer *a, int64_t argument) {
    (void)argument;
    struct ruleset rules = {.network = ACCESS_CONNECT_TCP};
    return enter_domain(a, &rules, offsetof(struct ruleset, scoped));
}

static int probe_landlock_scopes(answer *a, int64_t argument) {
    (void)argument;
    struct ruleset rules = {.scoped = SCOPE_SIGNAL | SCOPE_ABSTRACT_SOCKET};
    if (enter_domain(a, &rules, sizeof rules) < 0) return -1;
    return has_held(a, kill(getppid(), 0), EPERM);
}

static int (*const probes[])(answer *, int64_t) = {
    [SBX_PROBE_USERNS] = probe_userns,
    [SBX_PROBE_USERNS_DEPTH] = probe_depth,
    [SBX_PROBE_NAMESPACE] = probe_namespace,
    [SBX_PROBE_PROC] = probe_proc,
    [SBX_PROBE_MOUNT] = probe_mount,
    [SBX_PROBE_MOUNT_API] = probe_mount_api,
    [SBX_PROBE_IDMAP_MOUNT] = probe_idmap_mount,
    [SBX_PROBE_OVERLAY] = probe_overlay,
    [SBX_PROBE_OVERLAY_BELOW] = probe_overlay_below,
    [SBX_PROBE_BINFMT] = probe_binfmt,
    [SBX_PROBE_CLONE3] = probe_clone3,
    [SBX_PROBE_UNSHARE] = probe_unshare,
    [SBX_PROBE_OPENAT2] = probe_openat2,
    [SBX_PROBE_CLOSE_RANGE] = probe_close_range,
    [SBX_PROBE_PIDFD_GETFD] = probe_pidfd_getfd,
    [SBX_PROBE_MEMFD] = probe_memfd,
    [SBX_PROBE_SECCOMP] = probe_seccomp,
    [SBX_PROBE_LISTENER_NESTED] = probe_listener_nested,
    [SBX_PROBE_LISTENER_SYNC] = probe_listener_sync,
    [SBX_PROBE_LANDLOCK_ABI] = probe_landlock_abi,
    [SBX_PROBE_LANDLOCK_FILES] = probe_landlock_files,
    [SBX_PROBE_LANDLOCK_NETWORK] = probe_landlock_network,
    [SBX_PROBE_LANDLOCK_SCOPES] = probe_landlock_scopes,
};

/* ---- The parent's side ---- */

static int64_t now_ms(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (int64_t)time.tv_sec * 1000 + time.tv_nsec / 1000000;
}

/* Reads the answer until `end`; 1 for one, 0 for the end of the pipe, -1 for neither in time. */
static int await_answer(int pipe, int64_t end_ms, answer *a) {
    for (;;) {
        int64_t left = end_ms - now_ms();
        struct pollfd ready = {.fd = pipe, .events = POLLIN};
        int count = poll(&ready, 1, left > 0 ? (int)left : 0);
        if (count == 0) return -1;
        if (count < 0 && errno == EINTR) continue;
        return read(pipe, a, sizeof *a) == (ssize_t)sizeof *a;
    }
}

/* Kills the child and its group, and reaps it; a child that can't die (a dead network disk) is left to the kernel after a while. */
static int reap(pid_t pid) {
    kill(-pid, SIGKILL);
    kill(pid, SIGKILL);
    for (int i = 0; i < 100; i++) {
        int status;
        pid_t reaped = waitpid(pid, &status, WNOHANG);
        if (reaped == pid) return status;
        if (reaped < 0 && errno != EINTR) return 0;
        struct timespec pause = {.tv_nsec = i < 20 ? 200000 : 2000000};
        nanosleep(&pause, NULL);
    }
    return SIGKILL;
}

static void begin_child(void) {
    setpgid(0, 0);
    prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
    sbx_child_reset_signals();
}

int sbx_probe_run(int probe, int64_t argument, int limit_ms, answer *a, int *signal) {
    int ends[2];
    int64_t end_ms = now_ms() + limit_ms;
    memset(a, 0, sizeof *a);
    *signal = 0;
    if (pipe2(ends, O_CLOEXEC) < 0) return -errno;
    pid_t pid = fork_probe();
    if (pid < 0) {
        int error = errno;
        close(ends[0]), close(ends[1]);
        return -error;
    }
    if (pid == 0) {
        begin_child();
        close(ends[0]);
        probes[probe](a, argument);
        (void)!write(ends[1], a, sizeof *a);
        end(0);
    }
    close(ends[1]);
    int result = await_answer(ends[0], end_ms, a);
    close(ends[0]);
    if (result == 0) {
        /* It is ending by itself, and how is of interest. */
        siginfo_t info = {0};
        while (waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT | WNOHANG) == 0 && info.si_pid == 0 && now_ms() < end_ms) {
            struct timespec pause = {.tv_nsec = 200000};
            nanosleep(&pause, NULL);
        }
        if (info.si_pid == pid && info.si_code != CLD_EXITED) *signal = info.si_status;
    }
    reap(pid);
    return result == 1 ? SBX_PROBE_ANSWERED : result == 0 ? SBX_PROBE_DIED : SBX_PROBE_TIMED_OUT;
}

int sbx_probe_namespace(struct sbx_child *child) {
    int go[2], report[2];
    if (pipe2(go, O_CLOEXEC) < 0) return -errno;
    if (pipe2(report, O_CLOEXEC) < 0) {
        int error = errno;
        close(go[0]), close(go[1]);
        return -error;
    }
    int pidfd = -1, error = 0;
    pid_t pid = (pid_t)clone_into(CLONE_NEWUSER, &pidfd);
    int is_inside = pid >= 0;
    if (!is_inside) pid = fork_probe();
    if (pid < 0) error = errno;
    if (pid == 0) {
        begin_child();
        close(go[1]), close(report[0]);
        struct sbx_report message = {.step = 0};
        if (!is_inside && unshare(CLONE_NEWUSER) < 0) message.value = errno;
        (void)!write(report[1], &message, sizeof message);
        (void)sbx_child_await_id_map(go[0]);
        end(0);
    }
    close(go[0]), close(report[1]);
    if (pid > 0 && !is_inside && (pidfd = (int)syscall(SYS_pidfd_open, pid, 0)) < 0) {
        error = errno;
        reap(pid);
    }
    if (error != 0) {
        close(go[1]), close(report[0]);
        return -error;
    }
    *child = (struct sbx_child){.pid = pid, .pidfd = pidfd, .go = go[1], .report = report[0]};
    return 0;
}

int sbx_reflink(int target, int source) { return ioctl(target, CLONE_REFERENCE, source) < 0 ? -errno : 0; }

int sbx_disk_space(int directory, uint64_t *available, uint64_t *total) {
    struct statvfs space;
    if (fstatvfs(directory, &space) < 0) return -errno;
    *available = (uint64_t)space.f_bavail * space.f_frsize;
    *total = (uint64_t)space.f_blocks * space.f_frsize;
    return 0;
}
