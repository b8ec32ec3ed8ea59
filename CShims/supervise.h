/* What the parts of the supervisor share. */
#pragma once
#include <poll.h>
#include <sys/socket.h>

#include "sbx_supervise.h"

/* The answer to a call. `goes_on`: the kernel makes the call; only for calls that it would judge alike, whatever the caller
 * changes in the meantime. */
struct answer {
    int64_t value;
    int error;
    int goes_on;
    int comes_later; /* the call is among the connections */
};

/* The caller's credentials, as far as files ask for them. */
struct credentials {
    uint32_t uid, gid; /* of the file system */
    uint32_t groups[1024];
    size_t group_count;
    uint64_t capabilities;
    uint32_t inner_process, inner_thread; /* its numbers in its own PID namespace */
};

enum { MOST_CONNECTIONS = 128 };

/* A call of connect that waits until its connection stands. */
struct connection {
    struct sbx_call call;
    int socket; /* a copy of the caller's */
    struct sockaddr_storage address;
    socklen_t length;
    int error;        /* the answer after `deadline` */
    int64_t deadline; /* milliseconds of the monotonic clock */
};

/* The supervisor's thread: what it was told, and its buffers. */
struct supervision {
    const struct sbx_supervisor *told;
    uint64_t own_capabilities;
    uint32_t own_uid, own_gid;
    struct credentials caller;
    uint64_t caller_of; /* the call whose caller that is: who waits can't change */
    struct connection connections[MOST_CONNECTIONS];
    size_t connection_count;
    char path[4096];
    char text[65536]; /* a status, or a list of names */
};

static inline struct answer refuse(int error) { return (struct answer){.error = error}; }
static inline struct answer give(int64_t value) { return (struct answer){.value = value}; }
static inline struct answer go_on(void) { return (struct answer){.goes_on = 1}; }
static inline struct answer answer_later(void) { return (struct answer){.comes_later = 1}; }

/* supervise.c: 0, or -errno of a listener that is of no use any more. */
int sbx_send_answer(struct supervision *s, const struct sbx_call *call, struct answer answer);

/* supervise_ids.c */
struct answer sbx_handle_ids(struct supervision *s, const struct sbx_call *call, uint8_t handler);
/* Whether the owner of a file may become this; if not, it is on record. -1 (no change) is always there. */
int sbx_has_owner(struct supervision *s, const struct sbx_call *call, uint32_t uid, uint32_t gid);

/* supervise_files.c */
struct answer sbx_handle_chown(struct supervision *s, const struct sbx_call *call, uint8_t handler);
struct answer sbx_handle_attributes(struct supervision *s, const struct sbx_call *call, uint8_t handler);

/* supervise_network.c */
struct answer sbx_handle_connect(struct supervision *s, const struct sbx_call *call);
struct answer sbx_handle_send(struct supervision *s, const struct sbx_call *call, uint8_t handler);
/* What poll(2) is to look at for connections under way: how many. */
size_t sbx_await_connections(const struct supervision *s, struct pollfd *ends);
/* Answers those that have come to their end; at least every tenth of a second, for time and signals. */
void sbx_serve_connections(struct supervision *s, const struct pollfd *ends, size_t count);
void sbx_end_connections(struct supervision *s);

/* supervise_caller.c. All return a descriptor or 0, else -errno. */
int sbx_learn_self(struct supervision *s);
int sbx_learn_caller(struct supervision *s, const struct sbx_call *call);
/* Writes all of it or fails; -EFAULT where there is no memory. */
int sbx_write_memory(const struct supervision *s, const struct sbx_call *call, uint64_t address, const void *bytes,
                     size_t size);
int sbx_become_caller(struct supervision *s);
int sbx_become_self(struct supervision *s);
/* O_PATH of what `path` leads to, or of a link itself, as the caller would find it. `dir` is the caller's. */
int sbx_find_as_caller(struct supervision *s, const struct sbx_call *call, int dir, const char *path, int follow);
/* O_PATH of a descriptor of the caller's. One that is itself O_PATH is EBADF, unless `allows_path`. */
int sbx_descriptor_of_caller(struct supervision *s, const struct sbx_call *call, int number, int allows_path);
/* The process that a thread belongs to. */
int sbx_process_of(struct supervision *s, uint32_t tid, uint32_t *process);
/* 1 if a signal waits that would interrupt the thread: one for itself, or for its process where it is the only thread. */
int sbx_signal_waits(struct supervision *s, uint32_t tid);
