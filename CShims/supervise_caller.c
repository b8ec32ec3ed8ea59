/* The caller of a notified call: its memory, its credentials, and files as it would find them. */
#include "supervise.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <limits.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/vfs.h>
#include <unistd.h>

// MARK: Memory

ssize_t sbx_read_memory(uint32_t tid, uint64_t address, void *buffer, size_t size) {
    struct iovec here = {.iov_base = buffer, .iov_len = size};
    struct iovec there = {.iov_base = (void *)(uintptr_t)address, .iov_len = size};
    ssize_t count = process_vm_readv((pid_t)tid, &here, 1, &there, 1, 0);
    return count < 0 ? -errno : count == 0 ? -EFAULT : count;
}

/* Page by page: the text may end right before memory that is not there. */
ssize_t sbx_read_text(uint32_t tid, uint64_t address, char *buffer, size_t size) {
    enum { PAGE = 4096 };
    size_t have = 0;
    while (have < size) {
        size_t wanted = PAGE - (address + have) % PAGE;
        if (wanted > size - have) wanted = size - have;
        ssize_t count = sbx_read_memory(tid, address + have, buffer + have, wanted);
        if (count < 0) return count;
        char *end = memchr(buffer + have, 0, (size_t)count);
        if (end) return end - buffer;
        have += (size_t)count;
    }
    return (ssize_t)size;
}

// MARK: What /proc tells

static void name_file(char name[64], uint32_t tid, const char *file) { snprintf(name, 64, "%u/%s", tid, file); }

static int open_of(int proc, uint32_t tid, const char *file, int flags) {
    char name[64];
    name_file(name, tid, file);
    int fd = openat(proc, name, flags | O_CLOEXEC);
    return fd < 0 ? -errno : fd;
}

static ssize_t read_of(int proc, uint32_t tid, const char *file, char *buffer, size_t size) {
    int fd = open_of(proc, tid, file, O_RDONLY);
    if (fd < 0) return fd;
    size_t have = 0;
    ssize_t count = 0;
    while (have < size && (count = read(fd, buffer + have, size - have)) > 0) have += (size_t)count;
    int error = errno;
    close(fd);
    return count < 0 ? -error : (ssize_t)have;
}

/* Through a descriptor of the memory, which is checked to be the caller's before it is written to: a number can belong to
 * another process a moment later. */
int sbx_write_memory(const struct supervision *s, const struct sbx_call *call, uint64_t address, const void *bytes,
                     size_t size) {
    int memory = open_of(s->told->proc, call->tid, "mem", O_WRONLY);
    if (memory < 0) return -EPERM;
    int error = sbx_call_waits(s->told->listener, call->id) ? 0 : -EPERM;
    if (error == 0 && pwrite(memory, bytes, size, (off_t)address) != (ssize_t)size) error = -EFAULT;
    close(memory);
    return error;
}

ssize_t sbx_caller_program(int proc, uint32_t tid, char *buffer, size_t size) {
    char name[64];
    name_file(name, tid, "exe");
    ssize_t count = readlinkat(proc, name, buffer, size);
    return count < 0 ? -errno : count;
}

ssize_t sbx_caller_words(int proc, uint32_t tid, char *buffer, size_t size) {
    return read_of(proc, tid, "cmdline", buffer, size);
}

int sbx_user_namespace(int proc, uint32_t tid, uint64_t *inode) {
    char name[64];
    name_file(name, tid, "ns/user");
    struct stat status;
    if (fstatat(proc, name, &status, 0) < 0) return -errno;
    *inode = status.st_ino;
    return 0;
}

/* The text after "\nNAME:" in a status file. A process chooses its own name, but the kernel escapes line ends in it. */
static const char *field(const char *status, const char *name) {
    size_t length = strlen(name);
    for (const char *line = strchr(status, '\n'); line; line = strchr(line + 1, '\n'))
        if (strncmp(line + 1, name, length) == 0 && line[1 + length] == ':') return line + 2 + length;
    return NULL;
}

/* The numbers of a line, at most `most`; the count, or -1 if there are more. */
static long numbers(const char *text, uint32_t *out, size_t most) {
    size_t count = 0;
    while (text && *text && *text != '\n') {
        char *end;
        unsigned long value = strtoul(text, &end, 10);
        if (end == text) {
            text++;
            continue;
        }
        if (count == most) return -1;
        out[count++] = (uint32_t)value;
        text = end;
    }
    return (long)count;
}

static int last_number(const char *text, uint32_t *out) {
    uint32_t levels[33]; /* PID namespaces nest 32 deep */
    long count = numbers(text, levels, 33);
    if (count <= 0) return -1;
    *out = levels[count - 1];
    return 0;
}

static const uint64_t file_capabilities = 1u << CAP_CHOWN | 1u << CAP_DAC_OVERRIDE | 1u << CAP_DAC_READ_SEARCH |
                                          1u << CAP_FOWNER | 1u << CAP_FSETID;

static int read_status(struct supervision *s, uint32_t tid) {
    ssize_t size = read_of(s->told->proc, tid, "status", s->text, sizeof s->text - 1);
    if (size < 0) return (int)size;
    s->text[size] = 0;
    return 0;
}

static int learn(struct supervision *s, uint32_t tid) {
    int error = read_status(s, tid);
    if (error < 0) return error;
    struct credentials *c = &s->caller;
    uint32_t uids[4], gids[4];
    const char *effective = field(s->text, "CapEff");
    long groups = numbers(field(s->text, "Groups"), c->groups, sizeof c->groups / sizeof c->groups[0]);
    if (numbers(field(s->text, "Uid"), uids, 4) != 4 || numbers(field(s->text, "Gid"), gids, 4) != 4 || groups < 0 ||
        !effective || last_number(field(s->text, "NStgid"), &c->inner_process) < 0 ||
        last_number(field(s->text, "NSpid"), &c->inner_thread) < 0)
        return -EPERM;
    c->uid = uids[3], c->gid = gids[3];
    c->group_count = (size_t)groups;
    /* Those that files ask for. Others would count for more than the caller's, being in the parent namespace: by CAP_SYS_PTRACE
     * a path through /proc/1/exe would lead to a file of the host. */
    c->capabilities = strtoull(effective, NULL, 16) & file_capabilities;
    uint64_t namespace;
    error = sbx_user_namespace(s->told->proc, tid, &namespace);
    if (error < 0) return error;
    /* Capabilities in a namespace of the caller's own making are none over the step's files. */
    if (namespace != s->told->user_namespace) c->capabilities = 0;
    return 0;
}

int sbx_learn_caller(struct supervision *s, const struct sbx_call *call) {
    if (s->caller_of == call->id) return 0;
    s->caller_of = 0;
    int error = learn(s, call->tid);
    if (error == 0) s->caller_of = call->id;
    return error;
}

int sbx_process_of(struct supervision *s, uint32_t tid, uint32_t *process) {
    int error = read_status(s, tid);
    if (error < 0) return error;
    return numbers(field(s->text, "Tgid"), process, 1) == 1 ? 0 : -EPERM;
}

static uint64_t signals(const char *status, const char *name) {
    const char *text = field(status, name);
    return text ? strtoull(text, NULL, 16) : 0;
}

int sbx_signal_waits(struct supervision *s, uint32_t tid) {
    uint32_t threads;
    if (read_status(s, tid) < 0 || numbers(field(s->text, "Threads"), &threads, 1) != 1) return 0;
    uint64_t pending = signals(s->text, "SigPnd");
    if (threads == 1) pending |= signals(s->text, "ShdPnd");
    /* Only one with a handler: of the others, the kernel ends the call or thinks nothing of them. */
    return (pending & signals(s->text, "SigCgt") & ~signals(s->text, "SigBlk")) != 0;
}

// MARK: Being the caller, for files

static int set_effective(uint64_t effective, uint64_t permitted) {
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct data[2] = {
        {.effective = (uint32_t)effective, .permitted = (uint32_t)permitted},
        {.effective = (uint32_t)(effective >> 32), .permitted = (uint32_t)(permitted >> 32)}};
    return syscall(SYS_capset, &header, data) < 0 ? -errno : 0;
}

/* The ids of the file system, by calls that concern this thread alone; what setfsuid answers says nothing about success. */
static int set_file_ids(uint32_t uid, uint32_t gid) {
    syscall(SYS_setfsgid, gid);
    syscall(SYS_setfsuid, uid);
    if ((uint32_t)syscall(SYS_setfsgid, -1) != gid || (uint32_t)syscall(SYS_setfsuid, -1) != uid) return -EPERM;
    return 0;
}

int sbx_become_self(struct supervision *s) {
    int error = set_effective(s->own_capabilities, s->own_capabilities);
    return error < 0 ? error : set_file_ids(s->own_uid, s->own_gid);
}

/* The namespace of the supervisor is the parent of the step's and has the same ids, so that the kernel asks the same of these
 * credentials as of the caller's own. Capabilities last: the calls before need ours. */
int sbx_become_caller(struct supervision *s) {
    const struct credentials *c = &s->caller;
    if (s->told->drops_groups && syscall(SYS_setgroups, c->group_count, c->groups) < 0) return -errno;
    int error = set_file_ids(c->uid, c->gid);
    if (error == 0) error = set_effective(c->capabilities & s->own_capabilities, s->own_capabilities);
    if (error < 0) sbx_become_self(s);
    return error;
}

int sbx_learn_self(struct supervision *s) {
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct data[2];
    if (syscall(SYS_capget, &header, data) < 0) return -errno;
    s->own_capabilities = (uint64_t)data[1].permitted << 32 | data[0].permitted;
    s->own_uid = (uint32_t)geteuid();
    s->own_gid = (uint32_t)getegid();
    /* This thread gets a root and a working directory of its own. */
    return syscall(SYS_unshare, CLONE_FS) < 0 ? -errno : 0;
}

// MARK: Files as the caller finds them

int sbx_descriptor_of_caller(struct supervision *s, const struct sbx_call *call, int number, int allows_path) {
    char name[64];
    if (number < 0) return -EBADF;
    if (!allows_path) {
        snprintf(name, sizeof name, "fdinfo/%d", number);
        char info[256];
        ssize_t size = read_of(s->told->proc, call->tid, name, info, sizeof info - 1);
        if (size < 0) return size == -ENOENT ? -EBADF : (int)size;
        info[size] = 0;
        const char *flags = field(info, "flags");
        if (!flags || strtoul(flags, NULL, 8) & O_PATH) return -EBADF;
    }
    snprintf(name, sizeof name, "fd/%d", number);
    int fd = open_of(s->told->proc, call->tid, name, O_PATH);
    return fd == -ENOENT ? -EBADF : fd;
}

enum { MOST_LINKS = 40, PROC_MAGIC = 0x9fa0, PROC_ROOT_INODE = 1 };

/* The text of a link that was opened as `link`, found as `name` in `dir`. -ENOTSUP: one that leads on without a text.
 * /proc/self would be ours, and the caller's PID namespace does not have us. */
static ssize_t link_text(const struct credentials *caller, int dir, int link, const char *name, char *text, size_t size) {
    struct statfs system;
    struct stat status;
    if (fstatfs(link, &system) < 0 || fstat(dir, &status) < 0) return -errno;
    if (system.f_type == PROC_MAGIC) {
        if (status.st_ino != PROC_ROOT_INODE) return -ENOTSUP;
        if (strcmp(name, "self") == 0) return snprintf(text, size, "%u", caller->inner_process);
        if (strcmp(name, "thread-self") == 0)
            return snprintf(text, size, "%u/task/%u", caller->inner_process, caller->inner_thread);
    }
    ssize_t count = readlinkat(link, "", text, size);
    return count < 0 ? -errno : count;
}

/* The state of a walk: where it is, and what is left to walk. */
struct walk {
    int at;
    char rest[2 * PATH_MAX];
    int links;
};

static int step_to(struct walk *w, int next) {
    if (next < 0) return -errno;
    close(w->at);
    w->at = next;
    return 0;
}

/* Follows the link `link`, found as `name`; takes `link`. */
static int follow_link(struct walk *w, const struct credentials *caller, int link, const char *name) {
    char text[PATH_MAX];
    ssize_t length = link_text(caller, w->at, link, name, text, sizeof text);
    close(link);
    if (++w->links > MOST_LINKS) return -ELOOP;
    if (length == -ENOTSUP) return step_to(w, openat(w->at, name, O_PATH | O_CLOEXEC));
    if (length <= 0) return length ? (int)length : -ENOENT;
    size_t left = strlen(w->rest);
    if ((size_t)length + 1 + left + 1 > sizeof w->rest || (size_t)length >= sizeof text) return -ENAMETOOLONG;
    memmove(w->rest + length + 1, w->rest, left + 1);
    memcpy(w->rest, text, (size_t)length);
    w->rest[length] = '/';
    if (left == 0) w->rest[length] = 0;
    return text[0] == '/' ? step_to(w, open("/", O_PATH | O_CLOEXEC)) : 0;
}

/* Takes the next name off the rest; how the rest was before is gone. */
static int next_name(struct walk *w, char name[NAME_MAX + 1]) {
    size_t start = strspn(w->rest, "/");
    size_t length = strcspn(w->rest + start, "/");
    if (length > NAME_MAX) return -ENAMETOOLONG;
    memcpy(name, w->rest + start, length);
    name[length] = 0;
    memmove(w->rest, w->rest + start + length, strlen(w->rest + start + length) + 1);
    return (int)length;
}

static int walk_on(struct walk *w, const struct credentials *caller, int follow) {
    char name[NAME_MAX + 1];
    for (;;) {
        int length = next_name(w, name);
        if (length <= 0) return length;
        int next = openat(w->at, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
        if (next < 0) return -errno;
        struct stat status;
        if (fstat(next, &status) < 0) {
            close(next);
            return -errno;
        }
        int error;
        if (S_ISLNK(status.st_mode) && (w->rest[0] || follow)) error = follow_link(w, caller, next, name);
        else error = step_to(w, next);
        if (error < 0) return error;
    }
}

/* Name by name, for paths that go through /proc/self, which the kernel reads as whoever looks. Runs with the caller's root and
 * credentials, so `..` and links end where the caller's would. */
static int walk(const struct credentials *caller, int base, const char *path, int follow) {
    struct walk w = {.at = -1};
    w.at = path[0] == '/' ? open("/", O_PATH | O_CLOEXEC) : openat(base, ".", O_PATH | O_CLOEXEC);
    if (w.at < 0) return -errno;
    strncpy(w.rest, path, PATH_MAX - 1);
    int error = walk_on(&w, caller, follow);
    /* A slash at the end asks for a directory; opening "." is one way to ask. */
    if (error == 0 && path[strlen(path) - 1] == '/') error = step_to(&w, openat(w.at, ".", O_PATH | O_CLOEXEC));
    if (error == 0) return w.at;
    close(w.at);
    return error;
}

static int find_below(struct supervision *s, int base, const char *path, int follow) {
    int error = sbx_become_caller(s);
    if (error < 0) return error;
    int fd = openat(base, path, O_PATH | O_CLOEXEC | (follow ? 0 : O_NOFOLLOW));
    if (fd < 0) fd = -errno;
    /* A way through /proc/self ends like this, because the caller's /proc has no process of ours. */
    if (fd == -ENOENT && path[0]) fd = walk(&s->caller, base, path, follow);
    error = sbx_become_self(s);
    if (error < 0 && fd >= 0) close(fd);
    return error < 0 ? error : fd;
}

static int enter_root(struct supervision *s, uint32_t tid) {
    int root = open_of(s->told->proc, tid, "root", O_PATH | O_DIRECTORY);
    if (root < 0) return root;
    int error = fchdir(root) < 0 || chroot(".") < 0 ? -errno : 0;
    close(root);
    return error;
}

int sbx_find_as_caller(struct supervision *s, const struct sbx_call *call, int dir, const char *path, int follow) {
    int error = sbx_learn_caller(s, call);
    if (error == 0) error = enter_root(s, call->tid);
    if (error < 0) return error;
    int base = path[0] == '/'    ? open("/", O_PATH | O_CLOEXEC)
               : dir == AT_FDCWD ? open_of(s->told->proc, call->tid, "cwd", O_PATH | O_DIRECTORY)
                                 : sbx_descriptor_of_caller(s, call, dir, 1);
    if (base < 0) return base;
    int found = find_below(s, base, path, follow);
    close(base);
    return found;
}
