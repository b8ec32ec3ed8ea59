/* openat2(2) without openat2: where a kernel or an outer seccomp profile does not have it.
 *
 * The path is walked component by component. Each is opened with O_PATH and O_NOFOLLOW, so a link is a descriptor before
 * anything is decided about it; ".." goes back to the descriptor that the walk came through, never to what the kernel finds
 * as parent at that moment. Thus nobody who renames or replaces files meanwhile can lead it out. Answers and errnos are those
 * of the kernel's own walk (fs/namei.c), which the tests compare. */

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "sbx_fs.h"

enum {
    MOST_LINKS = 40,   /* MAXSYMLINKS */
    MOST_HELD = 4096,  /* levels below the start; the limit on descriptors comes earlier, mostly */
    MOST_ATTEMPTS = 64 /* at a last component that changes its kind again and again */
};

struct walk {
    uint64_t flags, resolve;
    uint32_t mode;
    int start;       /* the caller's, or the root directory for an absolute path without a scope */
    int owns_start;
    int links;       /* followed so far */
    int depth;       /* held descriptors; the last one is where the walk is */
    int held[MOST_HELD];
    uint64_t mount;  /* with NO_XDEV: that of where the walk is */
    int knows_root;  /* the kernel has looked where "/" is */
    char name[PATH_MAX];
};

static int fail(int error) {
    errno = error;
    return -1;
}

static int here(const struct walk *w) { return w->depth ? w->held[w->depth - 1] : w->start; }
static int handle(int dir, const char *name) { return openat(dir, name, O_PATH | O_NOFOLLOW | O_CLOEXEC); }

static void go_back_to_start(struct walk *w) {
    while (w->depth) close(w->held[--w->depth]);
}

/* Closes without touching errno. */
static int closing(int fd, int result) {
    int error = errno;
    close(fd);
    errno = error;
    return result;
}

static uint64_t mount_of(int fd) {
    struct statx s;
    if (statx(fd, "", AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW, 0x1000 /* STATX_MNT_ID */, &s) < 0) return 0;
    /* Before Linux 5.8 the file system has to do. */
    return s.stx_mask & 0x1000 ? s.stx_mnt_id : (uint64_t)s.stx_dev_major << 32 | s.stx_dev_minor;
}

/* With NO_XDEV, whether `fd` is on the mount where the walk is. */
static int check_mount(const struct walk *w, int fd) {
    if (!(w->resolve & SBX_RESOLVE_NO_XDEV) || mount_of(fd) == w->mount) return 0;
    return fail(EXDEV);
}

/* Makes `fd`, a directory, the place where the walk is. */
static int enter(struct walk *w, int fd) {
    if (check_mount(w, fd) < 0) return closing(fd, -1);
    if (w->depth == MOST_HELD) return closing(fd, fail(ENAMETOOLONG));
    w->held[w->depth++] = fd;
    return 0;
}

/* What the kernel asks of a directory before it looks at any component in it, "." and ".." included. */
static int may_search(const struct walk *w) {
    int fd = openat(here(w), ".", O_PATH | O_DIRECTORY | O_CLOEXEC);
    return fd < 0 ? -1 : closing(fd, 0);
}

static int go_up(struct walk *w) {
    if (may_search(w) < 0) return -1;
    w->knows_root = 1;
    if (w->depth) {
        int parent = w->depth > 1 ? w->held[w->depth - 2] : w->start;
        if (check_mount(w, parent) < 0) return -1;
        close(w->held[--w->depth]);
        return 0;
    }
    if (w->resolve & SBX_RESOLVE_BENEATH) return fail(EXDEV);
    if (w->resolve & SBX_RESOLVE_IN_ROOT) return 0;
    /* Nothing has to be stayed below. */
    int parent = openat(w->start, "..", O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (parent < 0) return -1;
    if (check_mount(w, parent) < 0) return closing(parent, -1);
    if (w->owns_start) close(w->start);
    (w->start = parent, w->owns_start = 1);
    return 0;
}

/* Where "/" leads, at the start and in a link. */
static int go_to_root(struct walk *w, int is_link) {
    if (w->resolve & SBX_RESOLVE_BENEATH) return fail(EXDEV);
    go_back_to_start(w);
    if (w->resolve & SBX_RESOLVE_IN_ROOT) return 0;
    int root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (root < 0) return -1;
    /* Before it has looked, a link to "/" counts as one to another mount. */
    if (is_link && w->resolve & SBX_RESOLVE_NO_XDEV && !w->knows_root) return closing(root, fail(EXDEV));
    if (is_link && check_mount(w, root) < 0) return closing(root, -1);
    w->knows_root = 1;
    if (w->owns_start) close(w->start);
    (w->start = root, w->owns_start = 1);
    if (w->resolve & SBX_RESOLVE_NO_XDEV) w->mount = mount_of(root);
    return 0;
}

/* proc(5): links that lead to an open file, not to where their text says. The others there are short and relative. */
static int is_magic(int link, const char *text) {
    struct statfs s;
    if (fstatfs(link, &s) < 0) return 0;
    if (s.f_type == 0x5a3c69f0 /* AAFS_MAGIC */) return 1;
    if (s.f_type != 0x9fa0 /* PROC_SUPER_MAGIC */) return 0;
    return *text == '/' || *text == '(' || strchr(text, ':') != NULL;
}

/* sysctl fs.protected_symlinks, proc_sys_fs(5): read once, and taken for set where it can't be read. */
static int links_are_protected(void) {
    static _Atomic int known; /* 1: no, 2: yes */
    int value = atomic_load_explicit(&known, memory_order_relaxed);
    if (value == 0) {
        char digit = '1';
        int file = open("/proc/sys/fs/protected_symlinks", O_RDONLY | O_CLOEXEC);
        if (file >= 0) {
            if (read(file, &digit, 1) != 1) digit = '1';
            close(file);
        }
        value = digit == '0' ? 1 : 2;
        atomic_store_explicit(&known, value, memory_order_relaxed);
    }
    return value == 2;
}

/* A last link in a sticky directory that all may write to counts only if it is ours or the directory's owner's. */
static int may_follow(const struct walk *w, int link) {
    struct stat own, directory;
    if (!links_are_protected()) return 0;
    if (fstat(link, &own) < 0 || fstatat(here(w), "", &directory, AT_EMPTY_PATH) < 0) return -1;
    if (own.st_uid == geteuid() || (directory.st_mode & (S_ISVTX | S_IWOTH)) != (S_ISVTX | S_IWOTH)) return 0;
    return own.st_uid == directory.st_uid ? 0 : fail(EACCES);
}

/* The text of `link`, when it is allowed to follow it; goes to the root for an absolute one. */
static int read_link(struct walk *w, int link, int is_last, char *text) {
    if (w->links++ >= MOST_LINKS) return fail(ELOOP);
    if (is_last && may_follow(w, link) < 0) return -1;
    if (w->resolve & SBX_RESOLVE_NO_SYMLINKS) return fail(ELOOP);
    ssize_t count = readlinkat(link, "", text, PATH_MAX - 1);
    if (count < 0) return -1;
    text[count] = 0;
    if (is_magic(link, text)) return fail(w->resolve & SBX_RESOLVE_NO_MAGICLINKS ? ELOOP : EXDEV);
    return *text == '/' ? go_to_root(w, 1) : 0;
}

static int walk(struct walk *w, const char *path, int is_last);

/* A component that others follow: a directory, or a link to one. */
static int pass(struct walk *w) {
    int fd = handle(here(w), w->name);
    if (fd < 0) return -1;
    struct stat s;
    if (fstat(fd, &s) < 0) return closing(fd, -1);
    if (S_ISDIR(s.st_mode)) return enter(w, fd);
    if (!S_ISLNK(s.st_mode)) return closing(fd, fail(ENOTDIR));
    if (check_mount(w, fd) < 0) return closing(fd, -1);
    char text[PATH_MAX];
    int result = read_link(w, fd, 0, text);
    closing(fd, 0);
    return result < 0 ? -1 : walk(w, text, 0);
}

/* Whether what could not be opened, or is a handle now, is a link: then a descriptor of it, else -1 with errno 0. */
static int as_link(int dir, const char *name) {
    int fd = handle(dir, name);
    struct stat s;
    if (fd >= 0 && fstat(fd, &s) == 0 && S_ISLNK(s.st_mode)) return fd;
    if (fd >= 0) close(fd);
    return fail(0);
}

/* Opens what the walk has come to. */
static int open_here(const struct walk *w) { return openat(here(w), ".", (int)w->flags | O_CLOEXEC, w->mode); }

/* With NO_XDEV nothing on another mount is opened, not even to be refused for another reason. */
static int check_last_mount(const struct walk *w) {
    if (!(w->resolve & SBX_RESOLVE_NO_XDEV)) return 0;
    int fd = handle(here(w), w->name);
    return fd < 0 ? 0 : closing(fd, check_mount(w, fd));
}

/* The last component: opened itself, or what it leads to. */
static int finish(struct walk *w, int has_slash) {
    int flags = (int)w->flags | O_NOFOLLOW | O_CLOEXEC;
    if (has_slash && w->flags & O_CREAT) {
        if (may_search(w) < 0) return -1;
        return fail(EISDIR);
    }
    if (has_slash) flags |= O_DIRECTORY;
    int follows = has_slash || !(w->flags & O_NOFOLLOW);
    /* The kernel says EEXIST of a link, too. */
    if ((w->flags & (O_CREAT | O_EXCL)) == (O_CREAT | O_EXCL)) follows = 0;
    for (int attempt = 0; attempt < MOST_ATTEMPTS; attempt++) {
        if (check_last_mount(w) < 0) return -1;
        int fd = openat(here(w), w->name, flags, w->mode);
        int error = errno, link;
        if (fd >= 0) {
            struct stat s;
            int is_link = w->flags & O_PATH && fstat(fd, &s) == 0 && S_ISLNK(s.st_mode);
            if (!is_link || !follows) return check_mount(w, fd) < 0 ? closing(fd, -1) : fd;
            link = fd;
        } else {
            if (!follows || (error != ELOOP && error != ENOTDIR)) return -1;
            link = as_link(here(w), w->name);
            if (link < 0 && error == ENOTDIR) return fail(ENOTDIR);
            if (link < 0) continue;
        }
        if (check_mount(w, link) < 0) return closing(link, -1);
        char text[PATH_MAX];
        int result = read_link(w, link, 1, text);
        closing(link, 0);
        /* A slash behind the link's name asks for a directory, and for one that links may lead to. */
        if (has_slash) w->flags = (w->flags | O_DIRECTORY) & ~(uint64_t)O_NOFOLLOW;
        return result < 0 ? -1 : walk(w, text, 1);
    }
    return fail(EAGAIN);
}

/* Walks `path`, all of it for a link in the middle, or opens what it leads to: 0 or a descriptor; -1. */
static int walk(struct walk *w, const char *path, int is_last) {
    for (;;) {
        while (*path == '/') path++;
        if (!*path) return is_last ? open_here(w) : 0;
        size_t length = strcspn(path, "/");
        const char *rest = path + length;
        while (*rest == '/') rest++;
        int ends = !*rest, has_slash = path[length] == '/';
        memcpy(w->name, path, length);
        w->name[length] = 0;
        path = rest;
        if (length == 1 && w->name[0] == '.') {
            if (may_search(w) < 0) return -1;
        } else if (length == 2 && w->name[0] == '.' && w->name[1] == '.') {
            if (go_up(w) < 0) return -1;
        } else if (ends && is_last) {
            return finish(w, has_slash);
        } else if (pass(w) < 0) {
            return -1;
        }
    }
}

int sbx_walk_open(int dir, const char *path, uint64_t flags, uint64_t mode, uint64_t resolve) {
    const uint64_t with_path = O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
    if ((flags & O_PATH && flags & ~with_path) ||
        (resolve & (SBX_RESOLVE_BENEATH | SBX_RESOLVE_IN_ROOT)) == (SBX_RESOLVE_BENEATH | SBX_RESOLVE_IN_ROOT))
        return -EINVAL;
    size_t length = strnlen(path, PATH_MAX);
    if (length == 0) return -ENOENT;
    if (length == PATH_MAX) return -ENAMETOOLONG;
    struct walk w;
    w.flags = flags;
    w.resolve = resolve;
    w.mode = (uint32_t)mode;
    w.start = dir;
    w.owns_start = w.links = w.depth = w.knows_root = 0;
    int result;
    if (resolve & SBX_RESOLVE_NO_XDEV) w.mount = mount_of(dir);
    if (resolve == 0) {
        result = openat(dir, path, (int)flags | O_CLOEXEC, w.mode);
    } else {
        result = *path == '/' && go_to_root(&w, 0) < 0 ? -1 : walk(&w, path, 1);
    }
    int error = errno;
    go_back_to_start(&w);
    if (w.owns_start) close(w.start);
    return result < 0 ? -error : result;
}
