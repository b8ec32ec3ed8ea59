/* Lets one call fail by which Lichen writes, in one of its processes: ENOSPC, EIO, or half of what was to be written.
 *
 * A library that the program needs (patchelf --add-needed): its processes are executed with an empty environment, so LD_PRELOAD
 * would reach the first only. What to do and what was done is in the file `control` beside the program, mapped before the
 * unpacker is shut in; without that file every call goes through. Between clone3 and execve the calls come through here, too,
 * so nothing here takes a lock or memory. */
#define _GNU_SOURCE
#include "faults.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

static struct control *control;
static enum role own_role;
static pid_t own_process;
static long (*kernel)(long number, ...);

static void find_kernel(void) { kernel = (long (*)(long, ...))dlsym(RTLD_NEXT, "syscall"); }

/* The environment is empty and arguments are not for libraries: the kernel knows them. */
static enum role role_by_arguments(void) {
    char words[256] = "";
    int file = (int)kernel(SYS_openat, AT_FDCWD, "/proc/self/cmdline", O_RDONLY | O_CLOEXEC, 0);
    long count = kernel(SYS_read, file, words, sizeof words);
    kernel(SYS_close, file);
    if (count > 0 && memmem(words, (size_t)count, "--lichen-worker", 15)) return WORKER;
    return count > 0 && memmem(words, (size_t)count, "--lichen-unpacker", 17) ? UNPACKER : BUILDER;
}

__attribute__((constructor)) static void begin(void) {
    find_kernel();
    char path[4096];
    long length = kernel(SYS_readlinkat, AT_FDCWD, "/proc/self/exe", path, sizeof path - 16);
    if (length <= 0) return;
    path[length] = 0;
    char *slash = strrchr(path, '/');
    strcpy(slash ? slash + 1 : path, "control");
    int file = (int)kernel(SYS_openat, AT_FDCWD, path, O_RDWR | O_CLOEXEC, 0);
    if (file < 0) return;
    void *page = mmap(0, sizeof *control, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    kernel(SYS_close, file);
    if (page == MAP_FAILED) return;
    own_role = role_by_arguments();
    own_process = (pid_t)kernel(SYS_getpid);
    control = page;
}

/* A child of the worker is setting up a step until it executes the command. */
static enum role current_role(void) {
    return own_role == WORKER && kernel(SYS_getpid) != own_process ? STEP : own_role;
}

static void count_descriptors(enum role role, int is_last) {
    uint32_t open = 0;
    for (int number = 0; number < 1024; number++) open += kernel(SYS_fcntl, number, F_GETFD) >= 0;
    uint32_t most = __atomic_load_n(&control->most_open[role], __ATOMIC_RELAXED);
    while (open > most && !__atomic_compare_exchange_n(&control->most_open[role], &most, open, 0, __ATOMIC_RELAXED, __ATOMIC_RELAXED))
        continue;
    if (is_last) control->last_open[role] = open;
}

/* What the call is about, for whoever reads of a failure. */
static void note_place(enum kind kind, int file, const char *path) {
    char link[64], target[200] = "";
    if (path) strncpy(target, path, sizeof target - 1);
    else {
        snprintf(link, sizeof link, "/proc/self/fd/%d", file);
        long length = kernel(SYS_readlinkat, AT_FDCWD, link, target, sizeof target - 1);
        if (length < 0) snprintf(target, sizeof target, "descriptor %d", file);
    }
    snprintf(control->place, sizeof control->place, "%s %s", kind_names[kind], target);
}

/* Counts a call. Whether it has to fail: errno says how, then. */
static int fails(enum kind kind, int file, const char *path) {
    if (!control) return 0;
    enum role role = current_role();
    int number = (int)__atomic_add_fetch(&control->calls[role][kind], 1, __ATOMIC_RELAXED);
    if ((kind == CREATE || kind == MKDIR) && role != STEP && control->nth == 0) count_descriptors(role, 0);
    if (control->role != (int)role || control->kind != (int)kind || control->manner == SHORT) return 0;
    if (control->nth == 0 || (control->manner == ONCE ? number != control->nth : number < control->nth)) return 0;
    if (__atomic_fetch_add(&control->hits, 1, __ATOMIC_RELAXED) == 0) note_place(kind, file, path);
    errno = control->error;
    return 1;
}

/* Regular files of a disk: not pipes, sockets and terminals, nor what the kernel makes up. */
static int is_of_disk(int file) {
    if (!control) return 0;
    struct stat status;
    struct statfs system;
    if (kernel(SYS_fstat, file, &status) < 0 || !S_ISREG(status.st_mode)) return 0;
    if (kernel(SYS_fstatfs, file, &system) < 0) return 1;
    return system.f_type != 0x9fa0 && system.f_type != 0x62656572 && system.f_type != 0x63677270; /* proc, sysfs, cgroup2 */
}

static size_t cut(size_t count) {
    if (!control || control->manner != SHORT || count < 2 || control->role != (int)current_role()) return count;
    __atomic_fetch_add(&control->hits, 1, __ATOMIC_RELAXED);
    return count / 2;
}

/* MARK: Bytes */

ssize_t read(int file, void *bytes, size_t count) {
    if (!kernel) find_kernel();
    if (is_of_disk(file) && fails(READ, file, 0)) return -1;
    return kernel(SYS_read, file, bytes, count);
}
ssize_t pread(int file, void *bytes, size_t count, off_t offset) {
    if (!kernel) find_kernel();
    if (is_of_disk(file) && fails(READ, file, 0)) return -1;
    return kernel(SYS_pread64, file, bytes, count, offset);
}
ssize_t write(int file, const void *bytes, size_t count) {
    if (!kernel) find_kernel();
    if (is_of_disk(file)) {
        if (fails(WRITE, file, 0)) return -1;
        count = cut(count);
    }
    return kernel(SYS_write, file, bytes, count);
}
ssize_t pwrite(int file, const void *bytes, size_t count, off_t offset) {
    if (is_of_disk(file)) {
        if (fails(WRITE, file, 0)) return -1;
        count = cut(count);
    }
    return kernel(SYS_pwrite64, file, bytes, count, offset);
}
ssize_t copy_file_range(int in, off64_t *in_offset, int out, off64_t *out_offset, size_t count, unsigned flags) {
    if (is_of_disk(out)) {
        if (fails(WRITE, out, 0)) return -1;
        count = cut(count);
    }
    return kernel(SYS_copy_file_range, in, in_offset, out, out_offset, count, flags);
}
int ftruncate(int file, off_t length) { return fails(LENGTH, file, 0) ? -1 : (int)kernel(SYS_ftruncate, file, length); }
int fsync(int file) { return fails(SYNC, file, 0) ? -1 : (int)kernel(SYS_fsync, file); }
int fdatasync(int file) { return fails(SYNC, file, 0) ? -1 : (int)kernel(SYS_fdatasync, file); }
int syncfs(int file) { return fails(SYNC, file, 0) ? -1 : (int)kernel(SYS_syncfs, file); }

/* Linux frees the number whatever it answers. */
int close(int file) {
    if (!kernel) find_kernel();
    int is_written = is_of_disk(file) && (kernel(SYS_fcntl, file, F_GETFL) & O_ACCMODE) != O_RDONLY;
    int has_failed = is_written && fails(CLOSE, file, 0), error = errno;
    int answer = (int)kernel(SYS_close, file);
    if (has_failed) errno = error;
    return has_failed ? -1 : answer;
}

/* MARK: Names */

static int makes_files(int flags) { return (flags & O_CREAT) || (flags & O_TMPFILE) == O_TMPFILE; }

int openat(int directory, const char *path, int flags, ...) {
    va_list list;
    va_start(list, flags);
    unsigned mode = makes_files(flags) ? va_arg(list, unsigned) : 0;
    va_end(list);
    if (!kernel) find_kernel();
    if (makes_files(flags) && fails(CREATE, directory, path)) return -1;
    return (int)kernel(SYS_openat, directory, path, flags, mode);
}
int open(const char *path, int flags, ...) {
    va_list list;
    va_start(list, flags);
    unsigned mode = makes_files(flags) ? va_arg(list, unsigned) : 0;
    va_end(list);
    return openat(AT_FDCWD, path, flags, mode);
}
int renameat2(int old, const char *old_path, int new, const char *new_path, unsigned flags) {
    return fails(RENAME, new, new_path) ? -1 : (int)kernel(SYS_renameat2, old, old_path, new, new_path, flags);
}
int mkdirat(int directory, const char *path, mode_t mode) {
    return fails(MKDIR, directory, path) ? -1 : (int)kernel(SYS_mkdirat, directory, path, mode);
}
int mkdir(const char *path, mode_t mode) { return mkdirat(AT_FDCWD, path, mode); }
int mknodat(int directory, const char *path, mode_t mode, dev_t device) {
    return fails(NODE, directory, path) ? -1 : (int)kernel(SYS_mknodat, directory, path, mode, device);
}
int symlinkat(const char *target, int directory, const char *path) {
    return fails(SYMLINK, directory, path) ? -1 : (int)kernel(SYS_symlinkat, target, directory, path);
}
int linkat(int old, const char *old_path, int new, const char *new_path, int flags) {
    return fails(LINK, new, new_path) ? -1 : (int)kernel(SYS_linkat, old, old_path, new, new_path, flags);
}
int unlinkat(int directory, const char *path, int flags) {
    return fails(REMOVE, directory, path) ? -1 : (int)kernel(SYS_unlinkat, directory, path, flags);
}
int rmdir(const char *path) { return unlinkat(AT_FDCWD, path, AT_REMOVEDIR); }

/* MARK: Attributes */

int fchown(int file, uid_t user, gid_t group) { return fails(OWNER, file, 0) ? -1 : (int)kernel(SYS_fchown, file, user, group); }
int fchownat(int directory, const char *path, uid_t user, gid_t group, int flags) {
    return fails(OWNER, directory, path) ? -1 : (int)kernel(SYS_fchownat, directory, path, user, group, flags);
}
int fchmod(int file, mode_t mode) { return fails(MODE, file, 0) ? -1 : (int)kernel(SYS_fchmod, file, mode); }
int fchmodat(int directory, const char *path, mode_t mode, int flags) {
    if (fails(MODE, directory, path)) return -1;
    return (int)(flags ? kernel(452 /* fchmodat2 */, directory, path, mode, flags) : kernel(SYS_fchmodat, directory, path, mode));
}
int utimensat(int directory, const char *path, const struct timespec times[2], int flags) {
    return fails(TIMES, directory, path) ? -1 : (int)kernel(SYS_utimensat, directory, path, times, flags);
}
int fsetxattr(int file, const char *name, const void *value, size_t size, int flags) {
    return fails(ATTRIBUTE, file, 0) ? -1 : (int)kernel(SYS_fsetxattr, file, name, value, size, flags);
}
int setxattr(const char *path, const char *name, const void *value, size_t size, int flags) {
    return fails(ATTRIBUTE, AT_FDCWD, path) ? -1 : (int)kernel(SYS_setxattr, path, name, value, size, flags);
}
int fremovexattr(int file, const char *name) { return fails(ATTRIBUTE, file, 0) ? -1 : (int)kernel(SYS_fremovexattr, file, name); }
int removexattr(const char *path, const char *name) {
    return fails(ATTRIBUTE, AT_FDCWD, path) ? -1 : (int)kernel(SYS_removexattr, path, name);
}

/* MARK: The rest */

/* What has no name in the C library comes by its number. */
long syscall(long number, ...) {
    va_list list;
    long a[6];
    va_start(list, number);
    for (int i = 0; i < 6; i++) a[i] = va_arg(list, long);
    va_end(list);
    if (!kernel) find_kernel();
    if (number == SYS_openat2 && makes_files((int)((struct open_how *)a[2])->flags) && fails(CREATE, (int)a[0], (const char *)a[1]))
        return -1;
    if (number == SYS_mkdirat && fails(MKDIR, (int)a[0], (const char *)a[1])) return -1;
    if (number == SYS_mknodat && fails(NODE, (int)a[0], (const char *)a[1])) return -1;
    return kernel(number, a[0], a[1], a[2], a[3], a[4], a[5]);
}

__attribute__((destructor)) static void end(void) {
    if (control && current_role() != STEP) count_descriptors(own_role, 1);
}
_Noreturn void _exit(int status) {
    end();
    for (;;) kernel(SYS_exit_group, status);
}
