/* Files: the calls that Swift's Glibc module does not show.
 *
 * Every function returns what the kernel call returns (a descriptor, a length, or 0) or a negative errno, so that nothing
 * can overwrite errno between the call and the look at it. All descriptors are born close-on-exec. Any thread may call. */
#pragma once
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* openat2(2) flags of our own spelling: Swift does not see _GNU_SOURCE macros through a header. */
enum {
    SBX_RESOLVE_NO_XDEV = 0x01,
    SBX_RESOLVE_NO_MAGICLINKS = 0x02,
    SBX_RESOLVE_NO_SYMLINKS = 0x04,
    SBX_RESOLVE_BENEATH = 0x08,
    SBX_RESOLVE_IN_ROOT = 0x10,
    SBX_O_PATH = 010000000,
    SBX_O_TMPFILE = 020200000,
    SBX_AT_EMPTY_PATH = 0x1000,
    SBX_RENAME_NOREPLACE = 1,
    SBX_RENAME_EXCHANGE = 2,
};

/* Opens `path` below `dir`. O_CLOEXEC is added. `mode` counts for O_CREAT and O_TMPFILE only. Where there is no openat2(2),
 * sbx_walk_open does the same. */
int sbx_openat2(int dir, const char *path, uint64_t flags, uint64_t mode, uint64_t resolve);

/* The same by a walk of our own; path_walk.c. Needs no call that Linux 5.10 has not; holds a descriptor a level. */
int sbx_walk_open(int dir, const char *path, uint64_t flags, uint64_t mode, uint64_t resolve);

/* What statx(2) tells, with nothing to decode. */
struct sbx_stat {
    uint32_t mode, uid, gid, nlink;
    uint64_t inode, size, blocks;
    int64_t mtime_seconds, ctime_seconds, btime_seconds;
    uint32_t mtime_nanoseconds, ctime_nanoseconds, btime_nanoseconds;
    uint32_t device_major, device_minor;   /* of the file system */
    uint32_t special_major, special_minor; /* of a device node */
    uint64_t mount_id;
};

/* Looks at `path` below `dir`, never through a last link; an empty path means `dir` itself. */
int sbx_statx(int dir, const char *path, struct sbx_stat *out);

/* Extended attributes of what `path` leads to; links in the last component are followed, so that /proc/self/fd/N works. */
ssize_t sbx_getxattr(const char *path, const char *name, void *value, size_t size);
ssize_t sbx_listxattr(const char *path, char *list, size_t size);
int sbx_setxattr(const char *path, const char *name, const void *value, size_t size);
int sbx_removexattr(const char *path, const char *name);
ssize_t sbx_fgetxattr(int fd, const char *name, void *value, size_t size);
ssize_t sbx_flistxattr(int fd, char *list, size_t size);
int sbx_fsetxattr(int fd, const char *name, const void *value, size_t size);
int sbx_fremovexattr(int fd, const char *name);

int sbx_renameat2(int old_dir, const char *old_path, int new_dir, const char *new_path, unsigned int flags);
ssize_t sbx_copy_file_range(int in, int out, size_t length);
int sbx_pipe(int ends[2]);
int sbx_socketpair(int ends[2]);
int sbx_memfd(const char *name);
/* Whoever writes past its end gets EPERM. */
int sbx_memfd_of_size(const char *name, int64_t size);

/* Directory reading without malloc per entry: fills `buffer` with linux_dirent64 records; 0 at the end. */
ssize_t sbx_getdents(int dir, void *buffer, size_t size);

/* The magic number of the file system that holds `fd` (statfs(2) f_type). */
int64_t sbx_filesystem_type(int fd);

/* Says that the directories in `dir` have nothing to do with each other (chattr(1), T); -ENOTTY or -EOPNOTSUPP where that means nothing. */
int sbx_spread_directories(int dir);

/* Where the next data and the next hole of a sparse file begin; -ENXIO past the end. */
int64_t sbx_seek_data(int fd, int64_t offset);
int64_t sbx_seek_hole(int fd, int64_t offset);
