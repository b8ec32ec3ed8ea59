/* Files whose owner is on record in an attribute of theirs: a RUN does not see the attribute, and a chown ends it. */
#include "supervise.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/xattr.h>
#include <unistd.h>

static const char *const records[] = {"user.lichen.owner", "user.lichen.device"};
enum { RECORD_COUNT = 2, LONGEST_NAME = 255 };

static int is_record(const char *name) {
    for (int i = 0; i < RECORD_COUNT; i++)
        if (strcmp(name, records[i]) == 0) return 1;
    return 0;
}

/* The path of a descriptor of ours, from /proc as the working directory: attributes of links have no other way. */
static int name_descriptor(struct supervision *s, int fd, char name[32]) {
    if (fchdir(s->told->proc) < 0) return -errno;
    snprintf(name, 32, "self/fd/%d", fd);
    return 0;
}

/* The file that a call is about, as O_PATH; or -errno. */
static int find(struct supervision *s, const struct sbx_call *call, int dir, uint64_t path, int follow, int empty) {
    ssize_t length = sbx_read_text(call->tid, path, s->path, sizeof s->path);
    if (length < 0) return length == -EFAULT ? -EFAULT : -EPERM;
    if ((size_t)length == sizeof s->path) return -ENAMETOOLONG;
    if (length == 0 && empty && dir != AT_FDCWD) return sbx_descriptor_of_caller(s, call, dir, 1);
    return sbx_find_as_caller(s, call, dir, length == 0 && empty ? "." : s->path, follow);
}

// MARK: Owners

static struct answer set_owner(struct supervision *s, const struct sbx_call *call, int fd, uint32_t uid, uint32_t gid) {
    int error = sbx_learn_caller(s, call);
    if (error == 0 && !sbx_call_waits(s->told->listener, call->id)) error = -EPERM;
    if (error == 0) error = sbx_become_caller(s);
    if (error < 0) return refuse(-error);
    if (fchownat(fd, "", uid, gid, AT_EMPTY_PATH) < 0) error = -errno;
    int back = sbx_become_self(s);
    if (error == 0) error = back;
    char name[32];
    if (error == 0 && (uid != (uint32_t)-1 || gid != (uint32_t)-1) && name_descriptor(s, fd, name) == 0)
        /* Most files have none, and links and devices can't. */
        for (int i = 0; i < RECORD_COUNT; i++) removexattr(name, records[i]);
    return error < 0 ? refuse(-error) : give(0);
}

struct answer sbx_handle_chown(struct supervision *s, const struct sbx_call *call, uint8_t handler) {
    const uint64_t *a = call->arguments;
    int is_at = handler == SBX_HANDLE_FCHOWNAT;
    uint32_t uid = (uint32_t)a[is_at ? 2 : 1], gid = (uint32_t)a[is_at ? 3 : 2];
    if (!sbx_has_owner(s, call, uid, gid)) return refuse(EINVAL);
    /* Ids are in registers. Without records there is nothing that the kernel would not do itself. */
    if (!s->told->hides_records) return go_on();
    int flags = is_at ? (int)a[4] : handler == SBX_HANDLE_LCHOWN ? AT_SYMLINK_NOFOLLOW : 0;
    if (flags & ~(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH)) return refuse(EINVAL);
    int fd;
    if (handler == SBX_HANDLE_FCHOWN) fd = sbx_descriptor_of_caller(s, call, (int)a[0], 0);
    else
        fd = find(s, call, is_at ? (int)a[0] : AT_FDCWD, a[is_at ? 1 : 0], !(flags & AT_SYMLINK_NOFOLLOW),
                  flags & AT_EMPTY_PATH);
    if (fd < 0) return refuse(-fd);
    struct answer answer = set_owner(s, call, fd, uid, gid);
    close(fd);
    return answer;
}

// MARK: Attributes

/* Takes the records out of a list of names; its length then. */
static size_t without_records(char *list, size_t size) {
    size_t kept = 0;
    for (size_t at = 0; at < size;) {
        size_t length = strnlen(list + at, size - at) + 1;
        if (at + length > size) break; /* the kernel ends each name with a zero byte */
        if (!is_record(list + at)) {
            memmove(list + kept, list + at, length);
            kept += length;
        }
        at += length;
    }
    return kept;
}

static struct answer list(struct supervision *s, const struct sbx_call *call, int fd) {
    char name[32];
    int error = name_descriptor(s, fd, name);
    if (error < 0) return refuse(-error);
    ssize_t have = listxattr(name, s->text, sizeof s->text);
    if (have < 0) return refuse(errno);
    size_t size = without_records(s->text, (size_t)have), room = call->arguments[2];
    if (room == 0 || size == 0) return give((int64_t)size);
    if (size > room) return refuse(ERANGE);
    error = sbx_write_memory(s, call, call->arguments[1], s->text, size);
    return error < 0 ? refuse(-error) : give((int64_t)size);
}

static struct answer list_names(struct supervision *s, const struct sbx_call *call, uint8_t handler) {
    int fd = handler == SBX_HANDLE_FLISTXATTR
                 ? sbx_descriptor_of_caller(s, call, (int)call->arguments[0], 0)
                 : find(s, call, AT_FDCWD, call->arguments[0], handler == SBX_HANDLE_LISTXATTR, 0);
    if (fd < 0) return refuse(-fd);
    struct answer answer = list(s, call, fd);
    close(fd);
    return answer;
}

/* Any other name goes on. A thread of the caller's can put a record's name there after this look: it learns or changes what is
 * on record about files of its own RUN, which it may decide anyway, by chown. */
struct answer sbx_handle_attributes(struct supervision *s, const struct sbx_call *call, uint8_t handler) {
    if (handler == SBX_HANDLE_LISTXATTR || handler == SBX_HANDLE_LLISTXATTR || handler == SBX_HANDLE_FLISTXATTR)
        return list_names(s, call, handler);
    char name[LONGEST_NAME + 1];
    ssize_t length = sbx_read_text(call->tid, call->arguments[1], name, sizeof name);
    if (length < 0) return refuse(length == -EFAULT ? EFAULT : EPERM);
    if (!sbx_call_waits(s->told->listener, call->id)) return refuse(EPERM);
    if (length == sizeof name || !is_record(name)) return go_on(); /* too long a name is ERANGE */
    return refuse(handler == SBX_HANDLE_SETXATTR ? EPERM : ENODATA);
}
