#include "sbx_fs.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <linux/openat2.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <sys/xattr.h>
#include <sys/mman.h>
#include <unistd.h>

#include "weak.h"

#define OR_ERRNO(call) ({ __typeof__(call) result_ = (call); result_ < 0 ? -errno : result_; })

/* Whether this kernel, and whoever filters our calls, has openat2: asked once, by a call that nobody else would refuse. */
static int has_openat2(void) {
    static _Atomic int known; /* 1: no, 2: yes */
    int value = atomic_load_explicit(&known, memory_order_relaxed);
    if (value) return value == 2;
    struct open_how how = {.flags = O_PATH | O_CLOEXEC, .resolve = RESOLVE_IN_ROOT};
    long fd = syscall(SYS_openat2, AT_FDCWD, ".", &how, sizeof how);
    /* Docker's profiles before 2020 answer EPERM to what they do not know. */
    value = fd < 0 && (errno == ENOSYS || errno == EPERM) ? 1 : 2;
    if (fd >= 0) close((int)fd);
    atomic_store_explicit(&known, value, memory_order_relaxed);
    return value == 2;
}

int sbx_openat2(int dir, const char *path, uint64_t flags, uint64_t mode, uint64_t resolve) {
    if (sbx_is_weakened("resolver")) resolve = 0;
    if (!has_openat2()) return sbx_walk_open(dir, path, flags, mode, resolve);
    struct open_how how = {.flags = flags | O_CLOEXEC, .resolve = resolve};
    if (flags & (O_CREAT | (O_TMPFILE & ~O_DIRECTORY))) how.mode = mode;
    /* EAGAIN: something in the tree was renamed during the walk of "..", so nothing is proven; the kernel asks to try
     * again. Bounded, because an attacker can rename for ever. */
    for (int attempt = 0;; attempt++) {
        long fd = syscall(SYS_openat2, dir, path, &how, sizeof how);
        if (fd >= 0) return (int)fd;
        if (errno == EINTR) continue;
        if (errno != EAGAIN || attempt == 64) return -errno;
    }
}

int sbx_statx(int dir, const char *path, struct sbx_stat *out) {
    struct statx s;
    int flags = AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH | AT_NO_AUTOMOUNT;
    if (statx(dir, path, flags, STATX_BASIC_STATS | STATX_BTIME | 0x1000 /* STATX_MNT_ID */, &s) < 0) return -errno;
    *out = (struct sbx_stat){
        .mode = s.stx_mode, .uid = s.stx_uid, .gid = s.stx_gid, .nlink = s.stx_nlink,
        .inode = s.stx_ino, .size = s.stx_size, .blocks = s.stx_blocks,
        .mtime_seconds = s.stx_mtime.tv_sec, .mtime_nanoseconds = s.stx_mtime.tv_nsec,
        .ctime_seconds = s.stx_ctime.tv_sec, .ctime_nanoseconds = s.stx_ctime.tv_nsec,
        .btime_seconds = s.stx_btime.tv_sec, .btime_nanoseconds = s.stx_btime.tv_nsec,
        .device_major = s.stx_dev_major, .device_minor = s.stx_dev_minor,
        .special_major = s.stx_rdev_major, .special_minor = s.stx_rdev_minor,
        .mount_id = s.stx_mnt_id,
    };
    return 0;
}

ssize_t sbx_getxattr(const char *path, const char *name, void *value, size_t size) {
    return OR_ERRNO(getxattr(path, name, value, size));
}
ssize_t sbx_listxattr(const char *path, char *list, size_t size) { return OR_ERRNO(listxattr(path, list, size)); }
int sbx_setxattr(const char *path, const char *name, const void *value, size_t size) {
    return OR_ERRNO(setxattr(path, name, value, size, 0));
}
int sbx_removexattr(const char *path, const char *name) { return OR_ERRNO(removexattr(path, name)); }
ssize_t sbx_fgetxattr(int fd, const char *name, void *value, size_t size) {
    return OR_ERRNO(fgetxattr(fd, name, value, size));
}
ssize_t sbx_flistxattr(int fd, char *list, size_t size) { return OR_ERRNO(flistxattr(fd, list, size)); }
int sbx_fsetxattr(int fd, const char *name, const void *value, size_t size) {
    return OR_ERRNO(fsetxattr(fd, name, value, size, 0));
}
int sbx_fremovexattr(int fd, const char *name) { return OR_ERRNO(fremovexattr(fd, name)); }

int sbx_renameat2(int old_dir, const char *old_path, int new_dir, const char *new_path, unsigned int flags) {
    return OR_ERRNO(renameat2(old_dir, old_path, new_dir, new_path, flags));
}
ssize_t sbx_copy_file_range(int in, int out, size_t length) {
    return OR_ERRNO(copy_file_range(in, NULL, out, NULL, length, 0));
}
int sbx_pipe(int ends[2]) { return OR_ERRNO(pipe2(ends, O_CLOEXEC)); }
int sbx_socketpair(int ends[2]) { return OR_ERRNO(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends)); }
int sbx_memfd(const char *name) { return OR_ERRNO(memfd_create(name, MFD_CLOEXEC)); }
int sbx_memfd_of_size(const char *name, int64_t size) {
    int fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (fd < 0) return -errno;
    if (ftruncate(fd, size) == 0 && fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) == 0) return fd;
    int error = errno;
    close(fd);
    return -error;
}
ssize_t sbx_getdents(int dir, void *buffer, size_t size) {
    return OR_ERRNO((ssize_t)syscall(SYS_getdents64, dir, buffer, size));
}

int64_t sbx_filesystem_type(int fd) {
    struct statfs s;
    return fstatfs(fd, &s) < 0 ? -errno : (int64_t)(uint32_t)s.f_type;
}

int64_t sbx_seek_data(int fd, int64_t offset) { return OR_ERRNO((int64_t)lseek(fd, offset, SEEK_DATA)); }
int64_t sbx_seek_hole(int fd, int64_t offset) { return OR_ERRNO((int64_t)lseek(fd, offset, SEEK_HOLE)); }

int sbx_spread_directories(int dir) {
    /* The kernel's macros say long, and mean int. */
    int flags = 0;
    if (ioctl(dir, FS_IOC_GETFLAGS, &flags) < 0) return -errno;
    if (flags & FS_TOPDIR_FL) return 0;
    flags |= FS_TOPDIR_FL;
    return OR_ERRNO(ioctl(dir, FS_IOC_SETFLAGS, &flags));
}
