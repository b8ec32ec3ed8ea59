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
 *   probe records DIRECTORY  what is seen of file, a file with hidden attributes, and can be done to it
 *   probe owner PATH         gives the file away and takes it back, in all ways
 *   probe denied COUNT THREADS   refused calls, and how many answers were EPERM
 *   probe storm COUNT        refused calls and chowns in a storm of signals
 *   probe killed COUNT       processes that are killed in refused calls
 *   probe bomb COUNT         leaves processes behind that make refused calls without end
 *   probe above COMMAND...   executes a command below a seccomp listener that asks nothing
 *   probe wait               makes refused calls until one is answered otherwise; says so on standard error
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/filter.h>
#include <linux/keyctl.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <pthread.h>
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
#include <sys/time.h>
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

static void say_names(const char *name, long size, const char *names) {
    if (size < 0) {
        printf("%s %s\n", name, strerrorname_np(errno));
        return;
    }
    printf("%s", name);
    for (const char *at = names; at < names + size; at += strlen(at) + 1) printf(" %s", at);
    printf(" %ld\n", size);
}

static void records(const char *directory) {
    static const char owner[] = "user.lichen.owner", device[] = "user.lichen.device";
    char list[4096], value[256], path[64], *volatile bad = (char *)8;
    if (chdir(directory) < 0 || symlink("file", "link") < 0 || symlink("nowhere", "dangling") < 0) exit(1);
    int file = open("file", O_RDWR), place = open("file", O_PATH);
    long size = listxattr("file", NULL, 0);
    printf("size %ld\n", size);
    say_names("list", listxattr("file", list, sizeof list), list);
    say_names("list:exact", listxattr("file", list, (size_t)size), list);
    say("list:short", listxattr("file", list, (size_t)size - 1));
    say("list:bad-buffer", listxattr("file", bad, 4096));
    say("list:bad-path", listxattr(bad, list, sizeof list));
    say("list:missing", listxattr("nothing", list, sizeof list));
    say("list:not-a-directory", listxattr("file/", list, sizeof list));
    say_names("list:link", listxattr("link", list, sizeof list), list);
    say_names("llist:link", llistxattr("link", list, sizeof list), list);
    say("list:dangling", listxattr("dangling", list, sizeof list));
    say_names("llist:dangling", llistxattr("dangling", list, sizeof list), list);
    say_names("flist", flistxattr(file, list, sizeof list), list);
    say("flist:path", flistxattr(place, list, sizeof list));
    say("flist:closed", flistxattr(99, list, sizeof list));
    static const char *const ways[] = {"/proc/self/fd/%d", "/proc/thread-self/fd/%d", "/dev/fd/%d",
        "/proc/self/../self/task/../fd/%d", "../proc/self/fd/%d", NULL};
    for (int i = 0; ways[i]; i++) {
        snprintf(path, sizeof path, ways[i], file);
        char name[80];
        snprintf(name, sizeof name, "list:%s", ways[i]);
        say_names(name, listxattr(path, list, sizeof list), list);
    }
    say("list:self-not-a-directory", listxattr("/proc/self/cwd/file/", list, sizeof list));
    say_names("list:self-cwd", listxattr("/proc/self/cwd/file", list, sizeof list), list);
    say_names("list:self-root", listxattr("/proc/self/root/bin", list, sizeof list), list);
    memset(list, 'x', sizeof list - 1);
    list[sizeof list - 1] = 0;
    say("list:long-path", listxattr(list, value, sizeof value));
    say("get", getxattr("file", owner, value, sizeof value));
    say("get:device", getxattr("file", device, value, sizeof value));
    say("get:size", getxattr("file", owner, NULL, 0));
    say("lget", lgetxattr("file", owner, value, sizeof value));
    say("fget", fgetxattr(file, owner, value, sizeof value));
    say("get:plain", getxattr("file", "user.plain", value, sizeof value));
    say("get:bad-name", getxattr("file", bad, value, sizeof value));
    say("set", setxattr("file", owner, "0:0", 3, 0));
    say("lset", lsetxattr("file", owner, "0:0", 3, 0));
    say("fset", fsetxattr(file, device, "0:0", 3, 0));
    say("remove", removexattr("file", owner));
    say("lremove", lremovexattr("file", owner));
    say("fremove", fremovexattr(file, device));
    say("set:plain", setxattr("file", "user.other", "x", 1, 0));
    say("remove:plain", removexattr("file", "user.other"));
    say("getxattrat", syscall(464, AT_FDCWD, "file", 0, owner, value, 16ul));
    say("listxattrat", syscall(465, AT_FDCWD, "file", 0, list, sizeof list));
    fflush(stdout);
    if (fork() == 0) {
        if (chroot(".") < 0 || chdir("/") < 0) _exit(1);
        say_names("list:chroot", listxattr("/file", list, sizeof list), list);
        say_names("list:chroot-up", listxattr("/../../file", list, sizeof list), list);
        say("list:chroot-out", listxattr("/bin/sh", list, sizeof list));
        fflush(stdout);
        _exit(0);
    }
    wait(NULL);
    if (fork() == 0) {
        if (mkdir("closed", 0700) < 0 || close(open("closed/file", O_CREAT | O_RDWR, 0600)) < 0) _exit(1);
        if (setgroups(0, NULL) < 0 || setresgid(1000, 1000, 1000) < 0 || setresuid(1000, 1000, 1000) < 0) _exit(1);
        say("list:closed", listxattr("closed/file", list, sizeof list));
        say("chown:not-ours", chown("file", 1000, 1000));
        fflush(stdout);
        _exit(0);
    }
    wait(NULL);
}

static void say_owner(const char *name, const char *path, long result) {
    struct stat status;
    if (result < 0) {
        say(name, result);
        return;
    }
    lstat(path, &status);
    printf("%s %u:%u\n", name, status.st_uid, status.st_gid);
}

static void owner(const char *path) {
    char way[64];
    int file = open(path, O_RDWR), place = open(path, O_PATH);
    if (symlink(path, "/owner-link") < 0) exit(1);
    say_owner("chown", path, chown(path, 1, 2));
    say_owner("chown:uid", path, chown(path, 3, -1));
    say_owner("chown:gid", path, chown(path, -1, 4));
    say_owner("chown:none", path, chown(path, -1, -1));
    say_owner("lchown", path, lchown(path, 5, 6));
    say_owner("lchown:link", "/owner-link", lchown("/owner-link", 7, 8));
    say_owner("chown:link", path, chown("/owner-link", 9, 10));
    say_owner("fchown", path, fchown(file, 11, 12));
    say_owner("fchown:path", path, fchown(place, 11, 12));
    say_owner("fchown:closed", path, fchown(99, 11, 12));
    say_owner("fchownat", path, fchownat(AT_FDCWD, path, 13, 14, 0));
    say_owner("fchownat:empty", path, fchownat(place, "", 15, 16, AT_EMPTY_PATH));
    say_owner("fchownat:empty-refused", path, fchownat(place, "", 15, 16, 0));
    say_owner("fchownat:link", "/owner-link", fchownat(AT_FDCWD, "/owner-link", 17, 18, AT_SYMLINK_NOFOLLOW));
    say_owner("fchownat:flags", path, fchownat(AT_FDCWD, path, 1, 1, 0x4000));
    snprintf(way, sizeof way, "/proc/self/fd/%d", file);
    say_owner("chown:self", path, chown(way, 19, 20));
    say_owner("fchownat:absolute", path, fchownat(12345, path, 21, 22, 0));
    say_owner("chown:directory", path, chown("/proc/self", 1, 1));
    say_owner("chown:init-program", path, chown("/proc/1/exe", 1, 1));
    say_owner("chown:init-directory", path, chown("/proc/1/cwd/tmp", 1, 1));
    say_owner("chown:unmapped", path, chown(path, 3000000000u, 0));
    say_owner("lchown:unmapped", path, lchown(path, 0, 3000000001u));
    say_owner("fchown:unmapped", path, fchown(file, 3000000000u, 0));
    say_owner("chown:back", path, chown(path, 0, 0));
    say("setuid:unmapped", setuid(3000000000u));
    say("setresgid:unmapped", setresgid(-1, 3000000001u, -1));
    say("setgroups:unmapped", setgroups(3, (gid_t[]){0, 1, 3000000001u}));
    say("setreuid:none", setreuid(-1, -1));
}

static long refused(void) { return syscall(SYS_keyctl, KEYCTL_GET_KEYRING_ID, KEY_SPEC_SESSION_KEYRING, 0); }
static int is_refused(void) { return refused() < 0 && errno == EPERM; }

static long each;

static void *refused_often(void *count) {
    for (long i = 0; i < each; i++) *(long *)count += is_refused();
    return NULL;
}

static double seconds(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static void denied(long count, long threads) {
    pthread_t ids[64];
    long counts[64] = {0}, sum = 0;
    each = count / threads;
    double start = seconds();
    for (long i = 0; i < threads; i++) pthread_create(&ids[i], NULL, refused_often, &counts[i]);
    for (long i = 0; i < threads; i++) pthread_join(ids[i], NULL), sum += counts[i];
    printf("refused %ld\nnanoseconds %ld\n", sum, (long)((seconds() - start) * 1e9 / (double)count));
}

static volatile long signals;
static void count_signal(int number) { (void)number, signals++; }

static volatile int storms;
static pthread_t target;

/* As Go's scheduler does it. */
static void *preempt(void *unused) {
    while (storms) pthread_kill(target, SIGURG), usleep(20);
    return unused;
}

static void storm(long count) {
    struct sigaction action = {.sa_handler = count_signal, .sa_flags = SA_RESTART};
    sigaction(SIGALRM, &action, NULL);
    sigaction(SIGURG, &action, NULL);
    struct itimerval often = {{0, 50}, {0, 50}}, never = {{0, 0}, {0, 0}};
    setitimer(ITIMER_REAL, &often, NULL);
    pthread_t thread;
    storms = 1;
    target = pthread_self();
    pthread_create(&thread, NULL, preempt, NULL);
    int file = open("/storm", O_CREAT | O_RDWR, 0600);
    long sum = 0, given = 0;
    for (long i = 0; i < count; i++) {
        sum += is_refused();
        given += fchown(file, (uid_t)(i % 100), 0) == 0;
    }
    storms = 0;
    pthread_join(thread, NULL);
    setitimer(ITIMER_REAL, &never, NULL);
    printf("refused %ld\nchowned %ld\nsignals %s\n", sum, given, signals > 10 ? "many" : "few");
}

static void killed(long count) {
    long sum = 0;
    for (long i = 0; i < count; i++) {
        pid_t pid = fork();
        if (pid == 0) for (;;) refused();
        usleep((useconds_t)(i % 7) * 100);
        kill(pid, SIGKILL);
        int status;
        waitpid(pid, &status, 0);
        sum += WIFSIGNALED(status);
    }
    printf("killed %ld\nrefused %d\n", sum, is_refused());
}

static void bomb(long count) {
    for (long i = 0; i < count; i++)
        if (fork() == 0) for (;;) refused();
    usleep(50000);
}

static int above(char **command) {
    struct sock_filter allow = BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
    struct sock_fprog program = {.len = 1, .filter = &allow};
    long listener = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER, &program);
    if (listener < 0) return 1;
    fcntl((int)listener, F_SETFD, 0);
    execvp(command[0], command);
    return 1;
}

static void await_change(void) {
    fprintf(stderr, "waiting\n");
    while (is_refused()) continue;
    long answer = refused();
    fprintf(stderr, "answer %s\n", answer < 0 ? strerrorname_np(errno) : "ok");
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
    else if (!strcmp(command, "records") && argc == 3) records(argv[2]);
    else if (!strcmp(command, "owner") && argc == 3) owner(argv[2]);
    else if (!strcmp(command, "denied") && argc == 4) denied(atol(argv[2]), atol(argv[3]));
    else if (!strcmp(command, "storm") && argc == 3) storm(atol(argv[2]));
    else if (!strcmp(command, "killed") && argc == 3) killed(atol(argv[2]));
    else if (!strcmp(command, "bomb") && argc == 3) bomb(atol(argv[2]));
    else if (!strcmp(command, "above") && argc > 2) return above(argv + 2);
    else if (!strcmp(command, "wait")) await_change();
    else if (!strcmp(command, "kill")) {
        say("init", kill(1, SIGKILL));
        say("others", kill(-1, SIGKILL));
    } else return 64;
    return 0;
}
