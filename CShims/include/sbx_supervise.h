/* The supervisor of a step: answers the notifications of its seccomp filter (seccomp_unotify(2)). */
#pragma once
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* A call that waits for its answer. `tid` is the caller's thread in our PID namespace. */
struct sbx_call {
    uint64_t id;
    uint32_t tid;
    uint32_t number;
    uint32_t architecture;
    uint64_t arguments[6];
};

/* What is done about a call that the policy allows. */
enum sbx_handler {
    SBX_HANDLE_NOTHING, /* nobody watches it: a bug of ours, so it is refused */
    SBX_HANDLE_CHOWN,
    SBX_HANDLE_LCHOWN,
    SBX_HANDLE_FCHOWN,
    SBX_HANDLE_FCHOWNAT,
    SBX_HANDLE_SETUID,
    SBX_HANDLE_SETGID,
    SBX_HANDLE_SETREUID,
    SBX_HANDLE_SETREGID,
    SBX_HANDLE_SETRESUID,
    SBX_HANDLE_SETRESGID,
    SBX_HANDLE_SETGROUPS,
    SBX_HANDLE_GETXATTR, /* and lgetxattr, fgetxattr: the name is the second argument of all three */
    SBX_HANDLE_SETXATTR,
    SBX_HANDLE_REMOVEXATTR,
    SBX_HANDLE_LISTXATTR,
    SBX_HANDLE_LLISTXATTR,
    SBX_HANDLE_FLISTXATTR,
    SBX_HANDLE_CONNECT, /* made by the supervisor, and not to `refused` addresses */
    SBX_HANDLE_SENDTO,
    SBX_HANDLE_SENDMSG,
    SBX_HANDLE_SENDMMSG,
    SBX_HANDLE_MISSING, /* the call does not exist here: ENOSYS */
    SBX_HANDLER_COUNT,
};

/* Ids from `first` on, `count` of them. */
struct sbx_id_range {
    uint32_t first, count;
};

/* An address of IPv6, or of IPv4 as ::ffff:a.b.c.d. */
struct sbx_address {
    uint8_t bytes[16];
};

/* What the supervisor of one step needs; all of it stays valid and unchanged while it runs. */
struct sbx_supervisor {
    int32_t listener;
    int32_t stop;               /* when this can be read, or its other end is closed, the supervisor ends */
    int32_t proc;               /* a directory: /proc of our own PID namespace */
    uint64_t user_namespace;    /* inode of the step's */
    const uint8_t *handlers;    /* enum sbx_handler by call number */
    uint32_t handler_count;
    int32_t knows_ids;          /* 1: `uids` and `gids` are what a RUN can have */
    const struct sbx_id_range *uids, *gids;
    size_t uid_count, gid_count;
    int32_t hides_records;      /* 1: user.lichen.owner and user.lichen.device are not for a RUN */
    int32_t drops_groups;       /* 0 where setgroups(2) is denied in the namespace */
    const struct sbx_address *refused; /* nothing connects there, but to port 53 */
    size_t refused_count;
    void *context;
    /* Whether the policy refuses the call: then it is on record now and will be refused with EPERM. */
    int (*is_denied)(void *context, const struct sbx_call *call);
    /* Puts on record that the call wanted ids which there are not. */
    void (*miss)(void *context, const struct sbx_call *call, const uint32_t *uids, size_t uid_count,
                 const uint32_t *gids, size_t gid_count);
    /* Puts on record that the call wanted to reach one of `refused`. */
    void (*refuse)(void *context, const struct sbx_call *call, const struct sbx_address *address, uint16_t port);
};

/* Answers calls until every process with the filter is gone (then 0, Linux 5.9), or `stop` says so (0), or the listener can't be
 * read (-errno): then close it, so that what waits goes on with ENOSYS.
 *
 * Takes a thread of its own: where records are hidden it changes that thread's root, working directory, ids and groups. */
int sbx_supervise(const struct sbx_supervisor *supervisor);

/* Reads the memory of a caller: how many bytes could be had, at least one, or -errno. */
ssize_t sbx_read_memory(uint32_t tid, uint64_t address, void *buffer, size_t size);

/* Reads a text of a caller's memory as far as its zero byte, which is not counted. `size` means that it goes on. */
ssize_t sbx_read_text(uint32_t tid, uint64_t address, char *buffer, size_t size);

/* The path of a caller's program, and the words it was started with (each ended by a zero byte), both cut at `size`. */
ssize_t sbx_caller_program(int proc, uint32_t tid, char *buffer, size_t size);
ssize_t sbx_caller_words(int proc, uint32_t tid, char *buffer, size_t size);

/* The inode of a process's user namespace; 0 or -errno. */
int sbx_user_namespace(int proc, uint32_t pid, uint64_t *inode);

/* 1 if the call still waits: what was read of its thread was read of no other one. */
int sbx_call_waits(int listener, uint64_t id);
