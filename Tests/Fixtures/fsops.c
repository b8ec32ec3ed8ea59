/* Carries out a script of file operations: in a RUN of a sandbox, and natively for the model that the image is compared with.
 *
 *     fsops run SCRIPT DIRECTORY      below an overlay
 *     fsops model SCRIPT DIRECTORY    in a plain directory
 *     fsops list DIRECTORY            what is there now, a line a name (fslist.c)
 *
 * A line of a script is an operation and its words; `%XX` in a word is a byte. `seq NAME` goes on in DIRECTORY/NAME. An operation
 * that can't be done (a name is missing, a directory is not empty) is passed over, in both modes alike.
 *
 * Overlay breaks hard links into lower layers when it copies a file up, and refuses to rename a directory of a lower layer. A
 * model does the first (`break_link`), and `rename_directory` does the second by hand, as mv(1) does. */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/capability.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/xattr.h>
#include <unistd.h>

int list(const char *directory);

static int is_model;
static ino_t lower_inodes[4096];
static int lower_descriptors[4096];
static size_t lower_count;

static void die(const char *what) {
    fprintf(stderr, "fsops: %s: %s\n", what, strerror(errno));
    exit(1);
}

static void for_each(const char *path, void (*body)(const char *)) {
    DIR *directory = opendir(path);
    if (!directory) return;
    char names[160][NAME_MAX + 1];
    size_t count = 0;
    for (struct dirent *entry; (entry = readdir(directory)) && count < 160;)
        if (strcmp(entry->d_name, ".") && strcmp(entry->d_name, ".."))
            strcpy(names[count++], entry->d_name);
    closedir(directory);
    for (size_t i = 0; i < count; i++) {
        char *child;
        if (asprintf(&child, "%s/%s", path, names[i]) < 0) die("memory");
        body(child);
        free(child);
    }
}

static int kind_of(const char *path) {
    struct stat status;
    return lstat(path, &status) == 0 ? (int)(status.st_mode & S_IFMT) : 0;
}

static void remove_tree(const char *path) {
    if (kind_of(path) == S_IFDIR) {
        for_each(path, remove_tree);
        rmdir(path);
    } else {
        unlink(path);
    }
}

static void set_times(const char *path, const struct stat *like) {
    struct timespec times[2] = {like->st_mtim, like->st_mtim};
    utimensat(AT_FDCWD, path, times, AT_SYMLINK_NOFOLLOW);
}

static void copy_attributes(const char *from, const char *to, const struct stat *status) {
    if (lchown(to, status->st_uid, status->st_gid)) die("lchown");
    if (!S_ISLNK(status->st_mode) && chmod(to, status->st_mode & 07777)) die("chmod");
    char names[8192], value[65536];
    ssize_t length = llistxattr(from, names, sizeof names);
    for (char *name = names; length > 0 && name < names + length; name += strlen(name) + 1) {
        ssize_t size = lgetxattr(from, name, value, sizeof value);
        if (size >= 0) lsetxattr(to, name, value, (size_t)size, 0);
    }
}

/* Makes a copy of its own of a file that has other names in a lower layer. */
static void break_link(const char *path) {
    struct stat status;
    if (!is_model || lstat(path, &status) || S_ISDIR(status.st_mode)) return;
    size_t i = 0;
    while (i < lower_count && lower_inodes[i] != status.st_ino) i++;
    if (i == lower_count) return;
    char *copy, buffer[65536];
    const char *slash = strrchr(path, '/');
    if (asprintf(&copy, "%.*s.broken", slash ? (int)(slash - path + 1) : 0, path) < 0) die("memory");
    if (S_ISLNK(status.st_mode)) {
        ssize_t length = readlink(path, buffer, sizeof buffer - 1);
        buffer[length < 0 ? 0 : length] = 0;
        if (symlink(buffer, copy)) die("symlink");
    } else if (S_ISREG(status.st_mode)) {
        int from = open(path, O_RDONLY), to = open(copy, O_WRONLY | O_CREAT | O_EXCL, 0600);
        if (from < 0 || to < 0) die("copy");
        for (ssize_t n; (n = read(from, buffer, sizeof buffer)) > 0;)
            if (write(to, buffer, (size_t)n) != n) die("write");
        close(from), close(to);
    } else if (mknod(copy, status.st_mode, 0)) {
        die("mknod");
    }
    copy_attributes(path, copy, &status);
    set_times(copy, &status);
    if (rename(copy, path)) die("rename");
    free(copy);
}

static void break_links(const char *path) {
    if (kind_of(path) == S_IFDIR) for_each(path, break_links);
    else break_link(path);
}

/* Notes the files with several names; their descriptors keep the numbers of the inodes from being used again. */
static void note_lower(const char *path) {
    struct stat status;
    if (lstat(path, &status)) return;
    if (S_ISDIR(status.st_mode)) return for_each(path, note_lower);
    if (status.st_nlink < 2 || lower_count == 4096) return;
    lower_inodes[lower_count] = status.st_ino;
    lower_descriptors[lower_count++] = open(path, O_PATH | O_NOFOLLOW);
}

static void begin_sequence(const char *directory, const char *name) {
    while (lower_count > 0) close(lower_descriptors[--lower_count]);
    if (chdir(directory)) die(directory);
    if (mkdir(name, 0755) && errno != EEXIST) die(name);
    if (chdir(name)) die(name);
    if (is_model) note_lower(".");
}

static int is_empty(const char *path) {
    DIR *directory = opendir(path);
    if (!directory) return 0;
    int count = 0;
    while (readdir(directory)) count++;
    closedir(directory);
    return count == 2;
}

static void move(const char *from, const char *to);

static const char *moving_from, *moving_to;

static void move_child(const char *child) {
    const char *from = moving_from, *to = moving_to;
    char *target;
    if (asprintf(&target, "%s%s", to, child + strlen(from)) < 0) die("memory");
    move(child, target);
    free(target);
    moving_from = from, moving_to = to;
}

static void rename_directory(const char *from, const char *to) {
    struct stat status;
    int there = kind_of(to);
    if (there && !(there == S_IFDIR && is_empty(to))) return;
    if (rename(from, to) == 0) {
        if (is_model) break_links(to);
        return;
    }
    if (errno != EXDEV || lstat(from, &status)) return;
    if (there) rmdir(to);
    if (mkdir(to, 0700)) return;
    moving_from = from, moving_to = to;
    for_each(from, move_child);
    copy_attributes(from, to, &status);
    set_times(to, &status); /* as mv(1) does */
    rmdir(from);
}

static void move(const char *from, const char *to) {
    int kind = kind_of(from);
    if (kind == 0) return;
    if (kind == S_IFDIR) return rename_directory(from, to);
    if (kind_of(to) == S_IFDIR) return;
    break_link(from);
    rename(from, to);
}

/* Bytes that depend on their place and the seed. */
static void fill(int file, off_t start, size_t size, unsigned seed) {
    uint64_t state = seed * 0x9e3779b97f4a7c15u + 1;
    char buffer[4096];
    for (size_t done = 0; done < size;) {
        size_t part = size - done < sizeof buffer ? size - done : sizeof buffer;
        for (size_t i = 0; i < part; i++) {
            state = state * 6364136223846793005u + 1442695040888963407u;
            buffer[i] = (char)(state >> 56);
        }
        if (pwrite(file, buffer, part, start + (off_t)done) < 0) die("write");
        done += part;
    }
}

static void write_file(const char *path, int flags, char kind, size_t size, unsigned seed) {
    struct stat before;
    int there = kind_of(path);
    if (there && there != S_IFREG) return;
    break_link(path);
    int file = open(path, flags | O_NOFOLLOW | O_CLOEXEC, 0644);
    if (file < 0) return;
    if (fstat(file, &before)) die("fstat");
    switch (kind) {
    case 'w': fill(file, 0, size, seed); break;
    case 'a': fill(file, before.st_size, size, seed); break;
    case 't': if (ftruncate(file, (off_t)size)) die("ftruncate"); break;
    case 'x': fill(file, 0, (size_t)before.st_size, seed); break;
    case 'h':
        if (ftruncate(file, (off_t)size)) die("ftruncate");
        for (off_t at = seed % 4 * 4096; at + 4096 < (off_t)size; at += 4096 * (off_t)(3 + seed % 50)) fill(file, at, 1000, seed);
    }
    close(file);
    /* `x` and `n` rewrite what nobody sees by size and time. */
    if (kind == 'x' || kind == 'n') set_times(path, &before);
}

static void set_attribute(const char *path, const char *name, const void *value, size_t size) {
    int kind = kind_of(path);
    if (kind != S_IFREG && kind != S_IFDIR) return;
    break_link(path);
    lsetxattr(path, name, value, size, 0);
}

static void make_deep(const char *path, long depth) {
    char *at = strdup(path);
    for (long i = 0; i < depth; i++) {
        char *next;
        mkdir(at, 0755);
        if (asprintf(&next, "%s/deep", at) < 0) die("memory");
        free(at), at = next;
    }
    write_file(at, O_RDWR | O_CREAT | O_TRUNC, 'w', 10, 1);
    free(at);
}

/* Deeper than any path can say: names of 255 bytes, each in the one before. */
static void make_chain(long depth) {
    char name[256];
    memset(name, 'c', 255);
    name[255] = 0;
    for (long i = 0; i < depth; i++)
        if (mkdir(name, 0755) || chdir(name)) die("chain");
}

static void make_socket(const char *path) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof address.sun_path) return;
    strcpy(address.sun_path, path);
    int file = socket(AF_UNIX, SOCK_STREAM, 0);
    if (file < 0) die("socket");
    bind(file, (struct sockaddr *)&address, sizeof address);
    close(file);
}

static void carry_out(char **word) {
    const char *path = word[1];
    long a = word[2] ? atol(word[2]) : 0, b = word[2] && word[3] ? atol(word[3]) : 0;
    char kind = word[0][0];
    switch (kind) {
    case 'w': case 'h': write_file(path, O_RDWR | O_CREAT | O_TRUNC, kind, (size_t)a, (unsigned)b); break;
    case 'a': case 't': case 'x': case 'n': write_file(path, O_RDWR, kind, (size_t)a, (unsigned)b); break;
    case 'r': move(path, word[2]); break;
    case 'l': {
        int there = kind_of(path);
        if (!there || there == S_IFDIR || kind_of(word[2])) break;
        /* Without a place for the new name nothing is copied up. */
        int file = open(word[2], O_WRONLY | O_CREAT | O_EXCL, 0600);
        if (file < 0) break;
        close(file), unlink(word[2]);
        break_link(path);
        if (link(path, word[2])) die("link");
        break;
    }
    case 's': symlink(word[2], path); break;
    case 'm': if (kind_of(path) != S_IFLNK) break_link(path), chmod(path, (mode_t)strtol(word[2], 0, 8)); break;
    case 'o': break_link(path), lchown(path, (uid_t)a, (gid_t)b); break;
    case 'u': {
        struct stat time = {.st_mtim.tv_sec = a, .st_mtim.tv_nsec = b};
        break_link(path), set_times(path, &time);
        break;
    }
    case 'd': remove_tree(path); break;
    case 'k': mkdir(path, 0755); break;
    case 'p': mkfifo(path, 0644); break;
    case 'g': set_attribute(path, word[2], word[3], strlen(word[3])); break;
    case 'G': if (lgetxattr(path, word[2], 0, 0) >= 0) break_link(path), lremovexattr(path, word[2]); break;
    case 'c': {
        struct vfs_cap_data capability = {.magic_etc = VFS_CAP_REVISION_2 | 1, .data = {{(uint32_t)a, (uint32_t)b}}};
        if (kind_of(path) == S_IFREG) set_attribute(path, "security.capability", &capability, sizeof capability);
        break;
    }
    case 'D': make_deep(path, a); break;
    case 'C': make_chain(atol(path)); break;
    case 'S': make_socket(path); break;
    default: errno = EINVAL, die(word[0]);
    }
}

static void decode(char *word) {
    char *to = word;
    for (; *word; word++) {
        unsigned byte;
        if (*word == '%' && sscanf(word + 1, "%2x", &byte) == 1) *to++ = (char)byte, word += 2;
        else *to++ = *word;
    }
    *to = 0;
}

int main(int count, char **arguments) {
    umask(022);
    if (count == 3 && !strcmp(arguments[1], "list")) return list(arguments[2]);
    if (count != 4) return 2;
    is_model = !strcmp(arguments[1], "model");
    FILE *script = fopen(arguments[2], "re");
    if (!script) die(arguments[2]);
    if (mkdir(arguments[3], 0755) && errno != EEXIST) die(arguments[3]);
    char *line = 0;
    size_t capacity = 0;
    while (getline(&line, &capacity, script) > 0) {
        char *words[6] = {0};
        int n = 0;
        for (char *word = strtok(line, " \n"); word && n < 5; word = strtok(0, " \n")) decode(words[n++] = word);
        if (n == 0) continue;
        if (!strcmp(words[0], "seq")) begin_sequence(arguments[3], words[1]);
        else carry_out(words);
    }
    return 0;
}
