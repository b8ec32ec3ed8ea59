/* Runs inside sandboxes and prints what it sees, one `name value` a line; an error is its symbol (EPERM), never a text.
 *
 *   probe identity           ids, groups, capabilities, flags of this process
 *   probe calls              calls that a sandbox refuses, and how
 *   probe init               what can be had of process 1
 *   probe open PATH...       reads a little of each path, then opens it for writing
 *   probe descriptors        open descriptors and where they lead
 *   probe abstract NAME      connects to an abstract Unix socket
 *   probe kill               kills all that it may
 *   probe attribute PATH     sets file capabilities and a user attribute, and reads them back
 *   probe nodes DIRECTORY    makes special files
 *   probe allowed            calls that builds need, which must work
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/keyctl.h>
#include <linux/sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

extern const char *strerrorname_np(int);

static void say(const char *name, long result) {
    if (result >= 0) printf("%s ok\n", name);
    else printf("%s %s\n", name, strerrorname_np(errno));
    fflush(stdout);
}

static void identity(void) {
    uid_t r, e, s;
    getresuid(&r, &e, &s);
    printf("uids %u %u %u\n", r, e, s);
    getresgid(&r, &e, &s);
    printf("gids %u %u %u\n", r, e, s);
    gid_t groups[64];
    int count = getgroups(64, groups);
    printf("groups");
    for (int i = 0; i < count; i++) printf(" %u", groups[i]);
    mode_t mask = umask(0);
    umask(mask);
    printf("\numask %03o\n", mask);
    char text[4096];
    gethostname(text, sizeof text);
    printf("hostname %s\n", text);
    printf("directory %s\n", getcwd(text, sizeof text) ? text : "?");
    printf("pid %d\nsession %d\n", getpid(), getsid(0));
    struct rlimit limit;
    getrlimit(RLIMIT_CORE, &limit);
    printf("core %lu\n", (unsigned long)limit.rlim_max);
    int terminal = open("/dev/tty", O_RDWR);
    say("terminal", terminal);
    FILE *status = fopen("/proc/self/status", "r");
    while (status && fgets(text, sizeof text, status)) {
        static const char *const names[] = {"Cap", "NoNewPrivs", "Seccomp", "SigBlk", "SigIgn", "SigCgt", NULL};
        for (int i = 0; names[i]; i++)
            if (strncmp(text, names[i], strlen(names[i])) == 0) {
                char *value = strchr(text, ':');
                *value++ = 0;
                printf("%s %s", text, value + strspn(value, " \t"));
            }
    }
}

/* In a process of its own: what comes back may be two processes, or none. */
static void apart(const char *name, long (*call)(void)) {
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        long result = call();
        say(name, result);
        _exit(0);
    }
    int status;
    waitpid(child, &status, 0);
    if (WIFSIGNALED(status)) printf("%s signal %d\n", name, WTERMSIG(status));
}

static long clone_user(void) {
    long pid = syscall(SYS_clone, (unsigned long)(CLONE_NEWUSER | SIGCHLD), 0ul, 0ul, 0ul, 0ul);
    if (pid == 0) _exit(0);
    return pid;
}

static long clone_user_high(void) {
    long pid = syscall(SYS_clone, 0x100000000ul | CLONE_NEWUSER | SIGCHLD, 0ul, 0ul, 0ul, 0ul);
    if (pid == 0) _exit(0);
    return pid;
}

static long clone_three(void) {
    struct clone_args args = {.flags = CLONE_NEWUSER, .exit_signal = SIGCHLD};
    long pid = syscall(SYS_clone3, &args, sizeof args);
    if (pid == 0) _exit(0);
    return pid;
}

#ifdef __x86_64__
static long i386_getpid(void) {
    long result;
    __asm__ volatile("int $0x80" : "=a"(result) : "a"(20L) : "memory", "r8", "r9", "r10", "r11");
    if (result < 0) {
        errno = (int)-result;
        return -1;
    }
    return result;
}

static long x32_getpid(void) { return syscall(0x40000000 | SYS_getpid); }
#endif

static void calls(void) {
    char buffer[256] = {0};
    say("keyctl", syscall(SYS_keyctl, KEYCTL_GET_KEYRING_ID, KEY_SPEC_SESSION_KEYRING, 0));
    say("add_key", syscall(SYS_add_key, "user", "lichen", "x", 1, KEY_SPEC_PROCESS_KEYRING));
    say("request_key", syscall(SYS_request_key, "user", "lichen", NULL, 0));
    say("bpf", syscall(SYS_bpf, 0, buffer, sizeof buffer));
    say("perf_event_open", syscall(SYS_perf_event_open, buffer, 0, -1, -1, 0));
    say("userfaultfd", syscall(SYS_userfaultfd, 1));
    say("mount", mount("none", "/tmp", "tmpfs", 0, NULL));
    say("bind", mount("/etc", "/tmp", NULL, MS_BIND, NULL));
    say("remount", mount(NULL, "/", NULL, MS_REMOUNT | MS_BIND, NULL));
    say("umount", umount2("/proc", MNT_DETACH));
    say("umount-masked", umount2("/proc/kcore", MNT_DETACH));
    say("fsopen", syscall(SYS_fsopen, "tmpfs", 0));
    say("open_tree", syscall(SYS_open_tree, AT_FDCWD, "/", 1));
    say("move_mount", syscall(SYS_move_mount, 0, "", 0, "", 4));
    say("pivot_root", syscall(SYS_pivot_root, "/", "/"));
    say("setns", syscall(SYS_setns, open("/proc/self/ns/user", O_RDONLY | O_CLOEXEC), 0));
    say("unshare-user", syscall(SYS_unshare, CLONE_NEWUSER));
    say("unshare-mounts", syscall(SYS_unshare, CLONE_NEWNS));
    apart("clone-user", clone_user);
    apart("clone-user-high", clone_user_high);
    apart("clone3", clone_three);
    say("io_uring_setup", syscall(SYS_io_uring_setup, 1, buffer));
    say("open_by_handle_at", syscall(SYS_open_by_handle_at, AT_FDCWD, buffer, 0));
    say("init_module", syscall(SYS_init_module, buffer, 0, ""));
    say("kexec_load", syscall(SYS_kexec_load, 0, 0, NULL, 0));
    say("reboot", syscall(SYS_reboot, 0xfee1dead, 672274793, 0, NULL));
    say("swapon", syscall(SYS_swapon, "/tmp", 0));
    say("sethostname", sethostname("x", 1));
    say("syslog", syscall(SYS_syslog, 3, buffer, 1));
    say("quotactl", syscall(SYS_quotactl, 0x80000700, NULL, 0, buffer));
    say("acct", syscall(SYS_acct, "/tmp/acct"));
    say("settimeofday", syscall(SYS_settimeofday, NULL, buffer));
    say("pidfd_getfd", syscall(SYS_pidfd_getfd, -1, 0, 0));
    say("fanotify_init", syscall(SYS_fanotify_init, 0, 0));
    say("socket-alg", syscall(SYS_socket, 38ul, (unsigned long)SOCK_SEQPACKET, 0ul));
    say("socket-alg-high", syscall(SYS_socket, 0x100000026ul, (unsigned long)SOCK_SEQPACKET, 0ul));
    say("socket-vsock", syscall(SYS_socket, 40ul, (unsigned long)SOCK_STREAM, 0ul));
    say("socket-packet", syscall(SYS_socket, 17ul, (unsigned long)SOCK_RAW, 0ul));
    say("tiocsti", syscall(SYS_ioctl, 0, (unsigned long)TIOCSTI, "x"));
    say("tiocsti-high", syscall(SYS_ioctl, 0, 0x100000000ul | TIOCSTI, "x"));
    say("personality", syscall(SYS_personality, 0x0400000));
    say("unknown", syscall(2000));
#ifdef __x86_64__
    say("iopl", syscall(SYS_iopl, 3));
    say("modify_ldt", syscall(SYS_modify_ldt, 0, buffer, 0));
    apart("i386", i386_getpid);
    apart("x32", x32_getpid);
#endif
}

static void allowed(void) {
    say("socket-unix", socket(AF_UNIX, SOCK_STREAM, 0));
    say("socket-inet", socket(AF_INET, SOCK_STREAM, 0));
    say("socket-inet6", socket(AF_INET6, SOCK_DGRAM, 0));
    say("socket-netlink", socket(AF_NETLINK, SOCK_RAW, 0));
    say("chroot", chroot("/"));
    say("chown", chown("/tmp", 0, 0));
    say("setgroups", setgroups(0, NULL));
    say("fork", ({ pid_t pid = fork(); if (pid == 0) _exit(0); pid; }));
    say("pty", open("/dev/ptmx", O_RDWR | O_NOCTTY));
    int memory = open("/dev/shm/probe", O_RDWR | O_CREAT | O_EXCL, 0600);
    say("shm", memory);
    say("shm-write", write(memory, "x", 1));
    say("setuid", setresuid(1000, 1000, 1000));
}

static void read_path(const char *path) {
    char buffer[4096];
    int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0) {
        printf("read:%s %s\n", path, strerrorname_np(errno));
    } else {
        struct stat status;
        fstat(fd, &status);
        if (S_ISDIR(status.st_mode)) {
            DIR *directory = fdopendir(fd);
            int count = 0;
            errno = 0;
            for (struct dirent *entry; (entry = readdir(directory));) count += entry->d_name[0] != '.';
            if (errno) printf("read:%s %s\n", path, strerrorname_np(errno));
            else printf("read:%s %d entries\n", path, count);
            return;
        } else {
            long count = read(fd, buffer, sizeof buffer);
            if (count < 0) printf("read:%s %s\n", path, strerrorname_np(errno));
            else printf("read:%s %ld bytes\n", path, count);
        }
    }
    char name[4200];
    snprintf(name, sizeof name, "write:%s", path);
    say(name, open(path, O_WRONLY | O_NONBLOCK | O_CLOEXEC));
}

static void init_process(void) {
    static const char *const paths[] = {"/proc/1/mem", "/proc/1/environ", "/proc/1/maps", "/proc/1/root",
        "/proc/1/cwd", "/proc/1/map_files", "/proc/1/auxv", "/proc/1/fd/0", "/proc/1/fd/1", "/proc/1/fd/2", "/proc/1/fd/3",
        NULL};
    for (int i = 0; paths[i]; i++) read_path(paths[i]);
    char buffer[4096];
    say("readlink:exe", readlink("/proc/1/exe", buffer, sizeof buffer));
    say("exec:exe", open("/proc/1/exe", O_PATH));
    say("ptrace-attach", ptrace(PTRACE_ATTACH, 1, NULL, NULL));
    say("ptrace-seize", ptrace(PTRACE_SEIZE, 1, NULL, NULL));
    struct iovec local = {buffer, 8}, remote = {(void *)0x400000, 8};
    say("process_vm_readv", process_vm_readv(1, &local, 1, &remote, 1, 0));
    say("process_vm_writev", process_vm_writev(1, &local, 1, &remote, 1, 0));
    int pidfd = (int)syscall(SYS_pidfd_open, 1, 0);
    say("pidfd_getfd", syscall(SYS_pidfd_getfd, pidfd, 0, 0));
    DIR *directory = opendir("/proc/1/fd");
    int count = 0;
    for (struct dirent *entry; directory && (entry = readdir(directory));) {
        if (entry->d_name[0] == '.') continue;
        snprintf(buffer, sizeof buffer, "/proc/1/fd/%.16s", entry->d_name);
        char name[64], target[16];
        snprintf(name, sizeof name, "descriptor:%d", count++);
        say(name, readlink(buffer, target, sizeof target));
    }
}

static void descriptors(void) {
    DIR *directory = opendir("/proc/self/fd");
    for (struct dirent *entry; (entry = readdir(directory));) {
        if (entry->d_name[0] == '.' || atoi(entry->d_name) == dirfd(directory)) continue;
        char path[300], target[4096];
        snprintf(path, sizeof path, "/proc/self/fd/%s", entry->d_name);
        long count = readlink(path, target, sizeof target - 1);
        target[count < 0 ? 0 : count] = 0;
        char *bracket = strchr(target, '[');
        if (bracket) *bracket = 0;
        printf("%s %s\n", entry->d_name, target);
    }
}

static void abstract(const char *name) {
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    strncpy(address.sun_path + 1, name, sizeof address.sun_path - 2);
    socklen_t length = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + strlen(name));
    say("connect", connect(fd, (struct sockaddr *)&address, length));
}

static void attribute(const char *path) {
    /* vfs_cap_data of revision 2, effective: CAP_NET_BIND_SERVICE; capability.h. */
    uint32_t value[5] = {0x02000001, 1u << 10, 0, 0, 0}, back[6] = {0};
    say("setcap", setxattr(path, "security.capability", value, sizeof value, 0));
    say("user", setxattr(path, "user.lichen", "moss", 4, 0));
    long count = getxattr(path, "security.capability", back, sizeof back);
    printf("getcap %ld %08x %08x\n", count, back[0], back[1]);
}

static void nodes(const char *directory) {
    if (chdir(directory) < 0) exit(1);
    say("fifo", mknod("fifo", S_IFIFO | 0640, 0));
    say("socket", mknod("socket", S_IFSOCK | 0600, 0));
    say("null", mknod("null", S_IFCHR | 0666, makedev(1, 3)));
    say("mem", mknod("mem", S_IFCHR | 0600, makedev(1, 1)));
    say("disk", mknod("disk", S_IFBLK | 0600, makedev(8, 0)));
    say("fuse", mknod("fuse", S_IFCHR | 0600, makedev(10, 229)));
}

int main(int argc, char **argv) {
    const char *command = argc > 1 ? argv[1] : "";
    if (!strcmp(command, "identity")) identity();
    else if (!strcmp(command, "calls")) calls();
    else if (!strcmp(command, "allowed")) allowed();
    else if (!strcmp(command, "init")) init_process();
    else if (!strcmp(command, "descriptors")) descriptors();
    else if (!strcmp(command, "open")) for (int i = 2; i < argc; i++) read_path(argv[i]);
    else if (!strcmp(command, "abstract") && argc == 3) abstract(argv[2]);
    else if (!strcmp(command, "attribute") && argc == 3) attribute(argv[2]);
    else if (!strcmp(command, "nodes") && argc == 3) nodes(argv[2]);
    else if (!strcmp(command, "kill")) {
        say("init", kill(1, SIGKILL));
        say("others", kill(-1, SIGKILL));
    } else return 64;
    return 0;
}
