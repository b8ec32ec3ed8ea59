/* Children in namespaces of their own: the worker (namespace A) and a step (namespace B, below A).
 *
 * Both are cloned with clone3(2), wait until the parent has written their id maps, walk a table of set-up steps and execute
 * a program. Between the clone and the execve the child runs only code of child_*.c: async-signal-safe calls, no malloc.
 *
 * The parent must clone from a thread that lives until the child is reaped: PR_SET_PDEATHSIG fires when the cloning thread
 * ends, not when the process does. */
#pragma once
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "sbx_supervise.h"

/* What a child tells through its report pipe: the set-up step that failed and its errno, or SBX_STEP_EXITED with the wait
 * status of the command. Before that, where the specification `listens`: SBX_STEP_LISTENING with the number of the seccomp
 * listener among the descriptors of the child (init), or SBX_STEP_NOT_LISTENING with an errno (ESRCH: the command has
 * ended; this may also come after SBX_STEP_LISTENING, and means nothing then). Init goes on when it gets a
 * byte more through its go pipe; the command does not wait. First of all may come SBX_STEP_PROC. Nothing but end-of-file from a worker means that its execve happened. */
struct sbx_report {
    int32_t step;
    int32_t value;
};

struct sbx_child {
    int32_t pid;
    int32_t pidfd;
    int32_t go;     /* write one byte when the id maps stand; keep it open until the child is gone */
    int32_t report; /* read end */
};

/* The order of this list is the order of the set-up, and the order is the security argument; see child_step.c. */
enum sbx_step {
    SBX_STEP_RESET_SIGNALS,
    SBX_STEP_DIE_WITH_PARENT,
    SBX_STEP_COME_INTO_SIGHT,
    SBX_STEP_AWAIT_ID_MAP,
    SBX_STEP_CGROUP_NAMESPACE,
    SBX_STEP_BECOME_ROOT,
    SBX_STEP_DIE_WITH_PARENT_AGAIN,
    SBX_STEP_MAKE_MOUNTS_PRIVATE,
    SBX_STEP_SET_HOSTNAME,
    SBX_STEP_RAISE_LOOPBACK,
    SBX_STEP_REFUSE_ROUTES,
    SBX_STEP_ATTACH_ROOT,
    SBX_STEP_ATTACH_MOUNTS,
    SBX_STEP_MOUNT_PROC,
    SBX_STEP_LIMIT_PROCESS_IDS,
    SBX_STEP_PROTECT_PROC,
    SBX_STEP_MOUNT_DEV_PTS,
    SBX_STEP_MOUNT_MQUEUE,
    SBX_STEP_MOUNT_SYSFS,
    SBX_STEP_PIVOT_ROOT,
    SBX_STEP_FORK_INIT,
    SBX_STEP_NEW_SESSION,
    SBX_STEP_STANDARD_STREAMS,
    SBX_STEP_CLOSE_DESCRIPTORS,
    SBX_STEP_NEW_KEYRING,
    SBX_STEP_RESOURCE_LIMITS,
    SBX_STEP_NO_NEW_PRIVS,
    SBX_STEP_LANDLOCK,
    SBX_STEP_SECCOMP_BEFORE_USER,
    SBX_STEP_BOUNDING_SET,
    SBX_STEP_SWITCH_USER,
    SBX_STEP_CAPABILITIES,
    SBX_STEP_WORKING_DIRECTORY,
    SBX_STEP_SECCOMP,
    SBX_STEP_EXECVE,
    SBX_STEP_COUNT,
    SBX_STEP_EXITED = 1000,
    SBX_STEP_LISTENING = 1001,
    SBX_STEP_NOT_LISTENING = 1002,
    SBX_STEP_PART_FROM_COMMAND = 1003, /* of init, beside the command */
    SBX_STEP_IN_SIGHT = 1004,
    SBX_STEP_PROC = 1005, /* /proc is not a fresh one; the value is an sbx_proc */
};

enum sbx_proc {
    SBX_PROC_FRESH,
    SBX_PROC_ONLY_PROCESSES, /* fresh, without what is not about processes */
    SBX_PROC_BORROWED,       /* that of the place around us, covers included */
};

/* A mount made by the parent (detached), and where it goes: both by descriptor, so no path is looked up. */
struct sbx_mount {
    int32_t tree;
    int32_t target;
};

struct sbx_limit {
    int32_t resource;
    uint64_t soft, hard;
};

/* One RUN. All pointers stay valid until sbx_clone_step returns (the child has a copy of the memory). A descriptor that is
 * not wanted is -1. */
struct sbx_step_spec {
    int32_t new_network;         /* 1: a network namespace of its own, with loopback up */
    int32_t comes_into_sight;    /* 1: while it waits for its id maps, a process with its ids may open its namespaces; it says
                                    SBX_STEP_IN_SIGHT first */
    const struct sbx_address *refused; /* nothing is sent there from a network of its own */
    size_t refused_count;
    int32_t root;                /* detached mount of the rootfs */
    const char *attach_at;       /* where the rootfs is attached before the pivot: a path, because a descriptor of the
                                    parent's belongs to its mount namespace, and nothing can be mounted on it here */
    const struct sbx_mount *mounts;
    size_t mount_count;
    int32_t proc_target, pts_target, mqueue_target, sys_target;
    int32_t empty_directory;     /* detached read-only mount: hides directories; consumed by cloning */
    int32_t null_device;         /* O_PATH of the sandbox's /dev/null: hides files */
    const char *const *masked;   /* below /proc, NULL-terminated; missing ones are skipped */
    const char *const *read_only;
    const char *const *masked_sys; /* below a new /sys, which is read-only as a whole */
    const char *hostname;
    int32_t output, error;       /* become 1 and 2; 0 is the sandbox's /dev/null */
    int32_t input;               /* becomes 0, or -1 */
    const struct sbx_limit *limits;
    size_t limit_count;
    uint32_t highest_pid;        /* kernel.pid_max of the PID namespace, where the kernel has one for each; 0: as it is */
    int32_t no_new_privs;        /* 0 only where USER is not root and ids are mapped: there setuid programs work */
    uint64_t landlock_scopes;    /* LANDLOCK_SCOPE_*, 0 for none */
    uint64_t landlock_network;   /* LANDLOCK_ACCESS_NET_* that the command's processes don't have, 0 for none */
    const void *filter;          /* struct sock_filter[] */
    uint16_t filter_count;
    int32_t listens;             /* 1: `filter` is installed with a listener, and must allow write(2) without asking it */
    const void *plain_filter;    /* where no listener can be had; must not ask one */
    uint16_t plain_filter_count;
    int32_t drops_groups;        /* 0 where setgroups(2) is denied in the namespace */
    uint64_t capabilities;       /* bounding set, and the rest of them for uid 0 */
    uint32_t uid, gid;
    const uint32_t *groups;
    size_t group_count;
    const char *working_directory;
    const char *const *programs; /* tried in order, NULL-terminated: the PATH search was done by the parent */
    const char *const *arguments;
    const char *const *environment;
};

enum sbx_worker_namespaces {
    SBX_WORKER_USER,     /* user and mount: the worker */
    SBX_WORKER_ISOLATED, /* mount, PID, network and IPC: the unpacker, below the worker */
    SBX_WORKER_PLAIN,    /* the parent's: the reader of archives */
};

/* The worker and its kind. `keep` is the one descriptor it inherits beside 0, 1 and 2; it arrives as number 3. */
struct sbx_worker_spec {
    uint32_t namespaces; /* enum sbx_worker_namespaces */
    int32_t keep;
    const char *program;
    const char *const *arguments;
    const char *const *environment;
};

/* A guard: process 1 of a PID namespace of its own in our user namespace, which starts a program and stays until it is killed,
 * so that all the program left behind ends with it. Of the program it tells SBX_STEP_EXITED, or SBX_STEP_EXECVE with an errno. */
struct sbx_guard_spec {
    int32_t keep;   /* becomes 3 of the program */
    int32_t errors; /* becomes 2; 0 and 1 are /dev/null */
    const char *program;
    const char *const *arguments;
    const char *const *environment;
};

/* All return 0 or -errno of the parent's side, and fill `*child`, whose three descriptors the caller owns. */
int sbx_clone_step(const struct sbx_step_spec *spec, struct sbx_child *child);
int sbx_clone_worker(const struct sbx_worker_spec *spec, struct sbx_child *child);
int sbx_clone_guard(const struct sbx_guard_spec *spec, struct sbx_child *child);

/* Writes the byte for which a child waits. -EPIPE, without a signal, if it is gone. */
int sbx_let_go(int go);

/* The child's side; never returns. */
_Noreturn void sbx_step_main(const struct sbx_step_spec *spec, int go, int report);
_Noreturn void sbx_worker_main(const struct sbx_worker_spec *spec, int go, int report);
_Noreturn void sbx_guard_main(const struct sbx_guard_spec *spec, int go, int report);

/* Parts of both children (child_common.c): 0, or -1 and errno. */
int sbx_child_reset_signals(void);
void sbx_child_ignore_interrupts(void);
int sbx_child_die_with_parent(int go);
int sbx_child_await_id_map(int go);
int sbx_child_make_mounts_private(void);
/* In this network namespace no route leads to `address` any more (child_routes.c). */
int sbx_child_refuse_route(const struct sbx_address *address);
_Noreturn void sbx_child_fail(int report, int32_t step);
