/* A step's way from clone3 to execve; the rules of child_common.c hold.
 *
 * The order of the table is the security argument:
 *  - everything that needs a path of the host or privilege in B comes before the pivot, and uses descriptors that the
 *    parent opened;
 *  - after the pivot the old root is gone, and no descriptor into it is left when the command's process is made;
 *  - privileges go last, in this order: limits, no_new_privs, Landlock, bounding set, user, capabilities, then seccomp
 *    right before execve, so that the filter need not allow anything above it. */
#include "sbx_spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/landlock.h>
#include <linux/mount.h>
#include <linux/seccomp.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sbx_mount.h"
#include "weak.h"

/* What a step of the set-up may look at and change. */
struct state {
    const struct sbx_step_spec *spec;
    int go, report;
    int proc;      /* root of the new procfs */
    int is_borrowed; /* it is not new */
    int covers;    /* whether the empty directory is attached somewhere */
};

static int from_shim(int result) {
    if (result >= 0) return result;
    errno = -result;
    return -1;
}

static int reset_signals(struct state *s) {
    (void)s;
    umask(022);
    return sbx_child_reset_signals();
}

static int die_with_parent(struct state *s) { return sbx_child_die_with_parent(s->go); }
static int tell(struct state *s, int32_t step, int32_t value) {
    struct sbx_report message = {.step = step, .value = value};
    return write(s->report, &message, sizeof message) == sizeof message ? 0 : -1;
}

/* A network helper has none of the worker's capabilities when it looks for the namespaces. No RUN sees this process: each has a PID
 * namespace of its own, and in this one nothing has begun. */
static int come_into_sight(struct state *s) {
    if (!s->spec->comes_into_sight) return 0;
    if (prctl(PR_SET_DUMPABLE, 1, 0, 0, 0) < 0) return -1;
    return tell(s, SBX_STEP_IN_SIGHT, 0);
}

static int await_id_map(struct state *s) { return sbx_child_await_id_map(s->go); }

/* Its root is the cgroup that the parent has put this process into. */
static int cgroup_namespace(struct state *s) {
    (void)s;
    return (int)syscall(SYS_unshare, CLONE_NEWCGROUP);
}

/* Uid 0 of B, without the invoker's groups, and out of reach of ptrace until the execve: the memory of this process is a
 * copy of the worker's. */
static int become_root(struct state *s) {
    /* With a single id mapped the kernel refuses setgroups: the groups stay, and nothing can be had by them that the
     * invoker's own group and user don't give. */
    if (s->spec->drops_groups && syscall(SYS_setgroups, 0, NULL) < 0) return -1;
    if (syscall(SYS_setresgid, 0, 0, 0) < 0) return -1;
    if (syscall(SYS_setresuid, 0, 0, 0) < 0) return -1;
    return prctl(PR_SET_DUMPABLE, sbx_is_weakened("undumpable"), 0, 0, 0);
}

static int make_mounts_private(struct state *s) {
    (void)s;
    return sbx_child_make_mounts_private();
}

static size_t length(const char *text) {
    size_t n = 0;
    while (text[n]) n++;
    return n;
}

static int set_hostname(struct state *s) { return sethostname(s->spec->hostname, length(s->spec->hostname)); }

static int raise_loopback(struct state *s) {
    if (!s->spec->new_network) return 0;
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0) return -1;
    struct ifreq request = {.ifr_name = "lo", .ifr_flags = IFF_UP | IFF_RUNNING};
    int answer = ioctl(fd, SIOCSIFFLAGS, &request);
    int error = errno;
    close(fd);
    errno = error;
    return answer;
}

/* Beside the supervisor, which a host may not have. */
static int refuse_routes(struct state *s) {
    if (!s->spec->new_network) return 0;
    for (size_t i = 0; i < s->spec->refused_count; i++)
        if (sbx_child_refuse_route(&s->spec->refused[i]) < 0) return -1;
    return 0;
}

static int attach_root(struct state *s) {
    int place = open(s->spec->attach_at, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    return place < 0 ? -1 : from_shim(sbx_move_mount(s->spec->root, place));
}

static int attach_mounts(struct state *s) {
    for (size_t i = 0; i < s->spec->mount_count; i++)
        if (from_shim(sbx_move_mount(s->spec->mounts[i].tree, s->spec->mounts[i].target)) < 0) return -1;
    return 0;
}

/* A new file system of `type`, mounted at `target`; the descriptor of its root, or -1. */
static int mount_new(const char *type, int target, unsigned int attributes, const char *const *options) {
    int fs = from_shim(sbx_fsopen(type));
    if (fs < 0) return -1;
    for (; options && options[0]; options += 2)
        if (from_shim(sbx_fsconfig_string(fs, options[0], options[1])) < 0) return -1;
    if (from_shim(sbx_fsconfig_create(fs)) < 0) return -1;
    int mount = from_shim(sbx_fsmount(fs, attributes));
    if (mount < 0) return -1;
    close(fs);
    return from_shim(sbx_move_mount(mount, target)) < 0 ? -1 : mount;
}

static int tell(struct state *s, int32_t step, int32_t value) {
    struct sbx_report message = {.step = step, .value = value};
    return write(s->report, &message, sizeof message) == sizeof message ? 0 : -1;
}

/* The /proc around us with all that is mounted on it: no cover is lost. */
static int borrow_proc(struct state *s) {
    int copy = from_shim(sbx_clone_mount(AT_FDCWD, "/proc", 1));
    if (copy < 0) return -1;
    unsigned int attributes = SBX_MOUNT_ATTR_NOSUID | SBX_MOUNT_ATTR_NODEV | SBX_MOUNT_ATTR_NOEXEC;
    /* Not of the covers: a null device without devices can't be opened. */
    if (from_shim(sbx_set_mount_attributes(copy, attributes, 0)) < 0) return -1;
    return from_shim(sbx_move_mount(copy, s->spec->proc_target)) < 0 ? -1 : copy;
}

/* In a container whose own /proc is partly covered the kernel refuses a fresh one, which would show what the covers hide;
 * newer kernels allow one with processes only. The last rung is the container's: /proc/self is right there, because a process
 * has a number in each PID namespace above its own, but other processes can be seen. They can't be signalled by what is seen,
 * and their memory, environment and descriptors belong to a user namespace above. */
static int mount_proc(struct state *s) {
    if (sbx_is_weakened("pidNamespace")) return (s->proc = from_shim(sbx_bind_proc(s->spec->proc_target))) < 0 ? -1 : 0;
    static const char *const only_processes[] = {"subset", "pid", NULL};
    unsigned int attributes = SBX_MOUNT_ATTR_NOSUID | SBX_MOUNT_ATTR_NODEV | SBX_MOUNT_ATTR_NOEXEC;
    s->proc = mount_new("proc", s->spec->proc_target, attributes, NULL);
    if (s->proc >= 0) return 0;
    if (errno != EPERM) return -1;
    s->proc = mount_new("proc", s->spec->proc_target, attributes, only_processes);
    if (s->proc >= 0) return tell(s, SBX_STEP_PROC, SBX_PROC_ONLY_PROCESSES);
    s->proc = borrow_proc(s);
    s->is_borrowed = 1;
    return s->proc < 0 ? -1 : tell(s, SBX_STEP_PROC, SBX_PROC_BORROWED);
}

/* Opens `path` below a new file system as a place to mount at; -1 with errno 0 if it does not exist. */
static int place_below(int root, const char *path) {
    int place = openat(root, path, O_PATH | O_NOFOLLOW | O_CLOEXEC);
    if (place < 0 && (errno == ENOENT || errno == EACCES)) errno = 0;
    return place;
}

static int cover(int place, int with) {
    int copy = from_shim(sbx_clone_mount(with, "", 0));
    return copy < 0 ? -1 : from_shim(sbx_move_mount(copy, place));
}

/* Nothing can be cloned from a mount that is attached nowhere before Linux 6.15, so the first place gets the empty directory
 * itself. The null device is attached in /dev by now. */
static int cover_directory(struct state *s, int place) {
    if (s->covers) return cover(place, s->spec->empty_directory);
    s->covers = 1;
    return from_shim(sbx_move_mount(s->spec->empty_directory, place));
}

static int hide(struct state *s, int place) {
    struct stat info;
    if (fstat(place, &info) < 0) return -1;
    return S_ISDIR(info.st_mode) ? cover_directory(s, place) : cover(place, s->spec->null_device);
}

static int make_read_only(int place) {
    int copy = from_shim(sbx_clone_mount(place, "", 1));
    if (copy < 0) return -1;
    unsigned int attributes =
        SBX_MOUNT_ATTR_RDONLY | SBX_MOUNT_ATTR_NOSUID | SBX_MOUNT_ATTR_NODEV | SBX_MOUNT_ATTR_NOEXEC;
    if (from_shim(sbx_set_mount_attributes(copy, attributes, 1)) < 0) return -1;
    return from_shim(sbx_move_mount(copy, place));
}

/* One number for the whole namespace, where RLIMIT_NPROC counts for each user of it. The parent asks for it only where the
 * kernel has one for each namespace (Linux 6.14): before, this file is the machine's, and real root could write it even here. */
static int limit_process_ids(struct state *s) {
    if (!s->spec->highest_pid || s->is_borrowed) return 0;
    int file = openat(s->proc, "sys/kernel/pid_max", O_WRONLY | O_NOFOLLOW | O_CLOEXEC);
    if (file < 0) return 0;
    char text[16];
    size_t start = sizeof text;
    for (uint32_t rest = s->spec->highest_pid; rest; rest /= 10) text[--start] = (char)('0' + rest % 10);
    (void)!write(file, text + start, sizeof text - start);
    close(file);
    return 0;
}

/* Hides these paths below `root`, or makes them read-only. */
static int protect(struct state *s, int root, const char *const *paths, int hides) {
    for (const char *const *path = paths; *path; path++) {
        int place = place_below(root, *path);
        if (place < 0) {
            if (errno) return -1;
            continue;
        }
        if ((hides ? hide(s, place) : make_read_only(place)) < 0) return -1;
        close(place);
    }
    return 0;
}

static int protect_proc(struct state *s) {
    if (protect(s, s->proc, s->spec->masked, 1) < 0) return -1;
    return protect(s, s->proc, s->spec->read_only, 0);
}

static int mount_dev_pts(struct state *s) {
    static const char *const options[] = {"ptmxmode", "0666", "mode", "0620", NULL};
    unsigned int attributes = SBX_MOUNT_ATTR_NOSUID | SBX_MOUNT_ATTR_NOEXEC;
    return mount_new("devpts", s->spec->pts_target, attributes, options) < 0 ? -1 : 0;
}

static int mount_mqueue(struct state *s) {
    unsigned int attributes = SBX_MOUNT_ATTR_NOSUID | SBX_MOUNT_ATTR_NODEV | SBX_MOUNT_ATTR_NOEXEC;
    return mount_new("mqueue", s->spec->mqueue_target, attributes, NULL) < 0 ? -1 : 0;
}

/* sysfs shows the network of the namespace that mounts it, and may be mounted only with a network namespace of our own;
 * the host's is no business of a RUN, so with its network there is an empty directory. */
static int mount_sysfs(struct state *s) {
    unsigned int attributes =
        SBX_MOUNT_ATTR_RDONLY | SBX_MOUNT_ATTR_NOSUID | SBX_MOUNT_ATTR_NODEV | SBX_MOUNT_ATTR_NOEXEC;
    int sys = s->spec->new_network ? mount_new("sysfs", s->spec->sys_target, attributes, NULL) : -1;
    return sys < 0 ? cover_directory(s, s->spec->sys_target) : protect(s, sys, s->spec->masked_sys, 1);
}

static int pivot_to_root(struct state *s) {
    if (fchdir(s->spec->root) < 0) return -1;
    if (sbx_is_weakened("pivot")) return (int)syscall(SYS_chroot, ".");
    if (syscall(SYS_pivot_root, ".", ".") < 0) return -1;
    /* The old root now lies on top of the new one, at the same place. */
    if (from_shim(sbx_unmount_detach(".")) < 0) return -1;
    return chdir("/");
}

/* Until the parent has taken the listener out of the table of descriptors that init shares with the command, or says that
 * it will not. The command may die before it tells of a listener, and nobody but init would notice; or it may have told, and have
 * ended since. So the parent hears of its end as well, and decides. */
static void await_listener(struct state *s, pid_t command) {
    int timeout = 10;
    for (;;) {
        struct pollfd end = {.fd = s->go, .events = POLLIN};
        if (poll(&end, 1, timeout) > 0) return;
        siginfo_t info = {0};
        if (timeout < 0 || syscall(SYS_waitid, P_PID, command, &info, WEXITED | WNOHANG | WNOWAIT, NULL) < 0) continue;
        if (info.si_pid == 0) continue;
        tell(s, SBX_STEP_NOT_LISTENING, ESRCH);
        timeout = -1;
    }
}

static _Noreturn void be_init(struct state *s, pid_t command) {
    int report = s->report;
    if (s->spec->listens) {
        await_listener(s, command);
        if (syscall(SYS_unshare, CLONE_FILES) < 0) sbx_child_fail(report, SBX_STEP_PART_FROM_COMMAND);
    }
    /* Only the report pipe stays open here, so /proc/1/fd leads nowhere. It has been moved to 0. */
    if (dup3(report, 0, O_CLOEXEC) < 0) sbx_child_fail(report, SBX_STEP_PART_FROM_COMMAND);
    syscall(SYS_close_range, 1u, ~0u, 0u);
    for (;;) {
        int status;
        pid_t pid = wait4(-1, &status, 0, NULL);
        if (pid == command) {
            struct sbx_report message = {.step = SBX_STEP_EXITED, .value = status};
            (void)!write(0, &message, sizeof message);
            /* The kernel now ends every process that the command left behind, before our parent hears of our end. */
            for (;;) syscall(SYS_exit_group, 0);
        }
        if (pid < 0 && errno != EINTR) syscall(SYS_exit_group, 125);
    }
}

static int fork_init(struct state *s) {
    unsigned long flags = SIGCHLD;
    /* Before the command can look; it gets a name of its own by its execve. */
    if (prctl(PR_SET_NAME, "lichen-init", 0, 0, 0) < 0) return -1;
    if (s->spec->listens) {
        /* The listener is born in the command's process, and execve closes it. Init shares the command's descriptors until
         * the parent has taken the listener from there, so that nothing depends on what the filter lets the command do.
         * Both keep the ends of the two pipes above everything that the command puts in place. */
        flags |= CLONE_FILES;
        s->go = fcntl(s->go, F_DUPFD_CLOEXEC, 16);
        s->report = fcntl(s->report, F_DUPFD_CLOEXEC, 16);
        if (s->go < 0 || s->report < 0) return -1;
    }
    /* Not fork(): its handlers take locks that another thread of the worker may have held at the clone. */
    long command = syscall(SYS_clone, flags, 0ul, 0ul, 0ul, 0ul);
    if (command < 0) return -1;
    if (command > 0) be_init(s, (pid_t)command);
    return 0;
}

static int new_session(struct state *s) {
    (void)s;
    return setsid() < 0 ? -1 : 0;
}

/* Standard input is opened inside, so that /proc/self/fd/0 does not lead to an inode of the host. */
static int standard_streams(struct state *s) {
    int input = s->spec->input;
    if (input < 0) input = open("/dev/null", O_RDONLY | O_CLOEXEC);
    if (input < 0) return -1;
    /* Above the three, lest one overwrite another before it is copied. */
    int output = fcntl(s->spec->output, F_DUPFD_CLOEXEC, 16);
    int error = fcntl(s->spec->error, F_DUPFD_CLOEXEC, 16);
    input = fcntl(input, F_DUPFD_CLOEXEC, 16);
    /* With a listener the pipe is up there already, where init looks for it. */
    if (!s->spec->listens) s->report = fcntl(s->report, F_DUPFD_CLOEXEC, 16);
    if (output < 0 || error < 0 || s->report < 0 || input < 0) return -1;
    if (dup3(input, 0, 0) < 0 || dup3(output, 1, 0) < 0) return -1;
    return dup3(error, 2, 0) < 0 ? -1 : 0;
}

static int close_between(int first, int last) {
    return first > last ? 0 : (int)syscall(SYS_close_range, (unsigned int)first, (unsigned int)last, 0u);
}

static int close_descriptors(struct state *s) {
    if (s->spec->listens) {
        int low = s->go < s->report ? s->go : s->report, high = s->go < s->report ? s->report : s->go;
        if (close_between(3, low - 1) < 0 || close_between(low + 1, high - 1) < 0) return -1;
        return (int)syscall(SYS_close_range, (unsigned int)high + 1, ~0u, 0u);
    }
    if (dup3(s->report, 3, O_CLOEXEC) < 0) return -1;
    s->report = 3;
    return (int)syscall(SYS_close_range, 4u, ~0u, 0u);
}

/* The invoker's session keyring would come along otherwise. A kernel without keyrings, or a quota, is no reason to stop:
 * the policy refuses the calls that reach one. */
static int new_keyring(struct state *s) {
    (void)s;
    syscall(SYS_keyctl, 1 /* KEYCTL_JOIN_SESSION_KEYRING */, NULL, 0, 0, 0);
    return 0;
}

static int resource_limits(struct state *s) {
    for (size_t i = 0; i < s->spec->limit_count; i++) {
        const struct sbx_limit *limit = &s->spec->limits[i];
        struct rlimit64 value = {.rlim_cur = limit->soft, .rlim_max = limit->hard};
        if (syscall(SYS_prlimit64, 0, limit->resource, &value, NULL) < 0) return -1;
    }
    return 0;
}

static int no_new_privs(struct state *s) {
    return s->spec->no_new_privs ? prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) : 0;
}

/* Scopes, and TCP connections where the supervisor makes them: a domain without file rights does not forbid mounts, and keeps
 * abstract sockets, signals and ptrace of everything outside away. */
static int landlock(struct state *s) {
    if (!s->spec->landlock_scopes && !s->spec->landlock_network) return 0;
    struct {
        uint64_t files, network, scopes;
    } attr = {.network = s->spec->landlock_network, .scopes = s->spec->landlock_scopes};
    int ruleset = (int)syscall(SYS_landlock_create_ruleset, &attr, sizeof attr, 0u);
    if (ruleset < 0) return -1;
    int answer = (int)syscall(SYS_landlock_restrict_self, ruleset, 0u);
    close(ruleset);
    return answer;
}

/* A descriptor with SECCOMP_FILTER_FLAG_NEW_LISTENER, else 0; or -1. */
static int install_program(const void *filter, uint16_t count, unsigned int flags) {
    struct sock_fprog program = {.len = count, .filter = (struct sock_filter *)(uintptr_t)filter};
    return (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags | SECCOMP_FILTER_FLAG_SPEC_ALLOW, &program);
}

/* What happens between the filter and the parent's first look at the listener waits in the kernel. The one call that must
 * not is the write below: the parent made sure that the filter allows it without a question. */
static int install_filter(struct state *s) {
    const struct sbx_step_spec *spec = s->spec;
    if (!spec->listens) return install_program(spec->filter, spec->filter_count, 0);
    enum { NEW_LISTENER = 1 << 3, WAIT_KILLABLE_RECV = 1 << 5 /* Linux 5.19 */ };
    int listener = install_program(spec->filter, spec->filter_count, NEW_LISTENER | WAIT_KILLABLE_RECV);
    if (listener < 0 && errno == EINVAL) listener = install_program(spec->filter, spec->filter_count, NEW_LISTENER);
    if (listener >= 0) return tell(s, SBX_STEP_LISTENING, listener);
    /* EBUSY: somebody above us listens already, and there can be one only. */
    if (tell(s, SBX_STEP_NOT_LISTENING, errno) < 0) return -1;
    return install_program(spec->plain_filter, spec->plain_filter_count, 0);
}

/* Without no_new_privs a filter needs CAP_SYS_ADMIN of B, which goes in the steps below; such a filter has to allow the
 * calls of those steps. */
static int seccomp_before_user(struct state *s) { return s->spec->no_new_privs ? 0 : install_filter(s); }

static int bounding_set(struct state *s) {
    for (int capability = 0; capability < 64; capability++) {
        if (s->spec->capabilities >> capability & 1) continue;
        if (prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) < 0) {
            if (errno == EINVAL) break; /* past the last one that this kernel knows */
            return -1;
        }
    }
    return 0;
}

static int switch_user(struct state *s) {
    if (s->spec->drops_groups && syscall(SYS_setgroups, s->spec->group_count, s->spec->groups) < 0) return -1;
    if (syscall(SYS_setresgid, s->spec->gid, s->spec->gid, s->spec->gid) < 0) return -1;
    return (int)syscall(SYS_setresuid, s->spec->uid, s->spec->uid, s->spec->uid);
}

/* Inheritable and ambient stay empty: an inheritable set would come back through file capabilities (CVE-2022-24769). */
static int capabilities(struct state *s) {
    if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) < 0) return -1;
    uint64_t kept = s->spec->uid == 0 ? s->spec->capabilities : 0;
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct data[2] = {
        {.effective = (uint32_t)kept, .permitted = (uint32_t)kept},
        {.effective = (uint32_t)(kept >> 32), .permitted = (uint32_t)(kept >> 32)}};
    return (int)syscall(SYS_capset, &header, data);
}

static int working_directory(struct state *s) {
    if (chdir(s->spec->working_directory) < 0) return -1;
    /* Outside the root the kernel answers "(unreachable)...": CVE-2024-21626. */
    char path[4096];
    long count = syscall(SYS_getcwd, path, sizeof path);
    if (count > 0 && path[0] == '/') return 0;
    errno = ENOENT;
    return -1;
}

static int seccomp(struct state *s) { return s->spec->no_new_privs ? install_filter(s) : 0; }

static int execute(struct state *s) {
    int error = ENOENT;
    for (const char *const *program = s->spec->programs; *program; program++) {
        execve(*program, (char *const *)s->spec->arguments, (char *const *)s->spec->environment);
        if (errno != ENOENT && errno != ENOTDIR) error = errno;
        if (errno != ENOENT && errno != ENOTDIR && errno != EACCES) break;
    }
    errno = error;
    return -1;
}

static int (*const steps[SBX_STEP_COUNT])(struct state *) = {
    [SBX_STEP_RESET_SIGNALS] = reset_signals,
    [SBX_STEP_DIE_WITH_PARENT] = die_with_parent,
    [SBX_STEP_COME_INTO_SIGHT] = come_into_sight,
    [SBX_STEP_AWAIT_ID_MAP] = await_id_map,
    [SBX_STEP_CGROUP_NAMESPACE] = cgroup_namespace,
    [SBX_STEP_BECOME_ROOT] = become_root,
    /* Again: a change of credentials clears the parent-death signal. */
    [SBX_STEP_DIE_WITH_PARENT_AGAIN] = die_with_parent,
    [SBX_STEP_MAKE_MOUNTS_PRIVATE] = make_mounts_private,
    [SBX_STEP_SET_HOSTNAME] = set_hostname,
    [SBX_STEP_RAISE_LOOPBACK] = raise_loopback,
    [SBX_STEP_REFUSE_ROUTES] = refuse_routes,
    [SBX_STEP_ATTACH_ROOT] = attach_root,
    [SBX_STEP_ATTACH_MOUNTS] = attach_mounts,
    [SBX_STEP_MOUNT_PROC] = mount_proc,
    [SBX_STEP_LIMIT_PROCESS_IDS] = limit_process_ids,
    [SBX_STEP_PROTECT_PROC] = protect_proc,
    [SBX_STEP_MOUNT_DEV_PTS] = mount_dev_pts,
    [SBX_STEP_MOUNT_MQUEUE] = mount_mqueue,
    [SBX_STEP_MOUNT_SYSFS] = mount_sysfs,
    [SBX_STEP_PIVOT_ROOT] = pivot_to_root,
    [SBX_STEP_FORK_INIT] = fork_init,
    [SBX_STEP_NEW_SESSION] = new_session,
    [SBX_STEP_STANDARD_STREAMS] = standard_streams,
    [SBX_STEP_CLOSE_DESCRIPTORS] = close_descriptors,
    [SBX_STEP_NEW_KEYRING] = new_keyring,
    [SBX_STEP_RESOURCE_LIMITS] = resource_limits,
    [SBX_STEP_NO_NEW_PRIVS] = no_new_privs,
    [SBX_STEP_LANDLOCK] = landlock,
    [SBX_STEP_SECCOMP_BEFORE_USER] = seccomp_before_user,
    [SBX_STEP_BOUNDING_SET] = bounding_set,
    [SBX_STEP_SWITCH_USER] = switch_user,
    [SBX_STEP_CAPABILITIES] = capabilities,
    [SBX_STEP_WORKING_DIRECTORY] = working_directory,
    [SBX_STEP_SECCOMP] = seccomp,
    [SBX_STEP_EXECVE] = execute,
};

_Noreturn void sbx_step_main(const struct sbx_step_spec *spec, int go, int report) {
    struct state state = {.spec = spec, .go = go, .report = report, .proc = -1};
    for (int32_t i = 0; i < SBX_STEP_COUNT; i++)
        if (!sbx_skips_step(i) && steps[i](&state) < 0) sbx_child_fail(state.report, i);
    __builtin_unreachable();
}
