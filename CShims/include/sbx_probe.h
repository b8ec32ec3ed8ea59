/* Probes: what the kernel allows this process, tried out by a child that does the real thing and ends.
 *
 * A probe can fail, hang or be killed by a filter without harm to the caller: it changes only its own process and namespaces.
 * Any thread may call, but must live until the call returns. */
#pragma once
#include "sbx_spawn.h"

#include <stdint.h>

enum sbx_probe {
    SBX_PROBE_USERNS,        /* a user namespace with one id mapped */
    SBX_PROBE_USERNS_DEPTH,  /* value: how many of them there can be, one below the other; 8 at most */
    SBX_PROBE_NAMESPACE,     /* argument: the CLONE_NEW* flag of one more namespace in it */
    SBX_PROBE_PROC,          /* a fresh /proc in a PID namespace; argument: 1 for subset=pid */
    SBX_PROBE_MOUNT,         /* argument: enum sbx_probe_file_system */
    SBX_PROBE_MOUNT_API,     /* fsopen, fsmount, mount_setattr, open_tree, move_mount */
    SBX_PROBE_IDMAP_MOUNT,   /* an id-mapped mount of a tmpfs */
    SBX_PROBE_OVERLAY,       /* on a tmpfs; value: 2 where layers go by descriptor, 1 by path */
    SBX_PROBE_OVERLAY_BELOW, /* the same with lower, upper and work in the directory that is the argument; they are removed */
    SBX_PROBE_BINFMT,        /* binfmt_misc of a user namespace, and a registration in it */
    SBX_PROBE_CLONE3,
    SBX_PROBE_UNSHARE,       /* CLONE_FILES, which a step's first process needs */
    SBX_PROBE_OPENAT2,
    SBX_PROBE_CLOSE_RANGE,
    SBX_PROBE_PIDFD_GETFD,
    SBX_PROBE_MEMFD,         /* an executable one */
    SBX_PROBE_SECCOMP,          /* a filter; argument: its flags */
    SBX_PROBE_LISTENER_NESTED,  /* a second listener, below one that is open */
    SBX_PROBE_LISTENER_SYNC,    /* SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP */
    SBX_PROBE_LANDLOCK_ABI,     /* value: the ABI */
    SBX_PROBE_LANDLOCK_FILES,   /* a domain that refuses to make directories, and does */
    SBX_PROBE_LANDLOCK_NETWORK, /* a domain that refuses TCP connections */
    SBX_PROBE_LANDLOCK_SCOPES,  /* a domain that keeps signals inside, and does */
};

enum sbx_probe_file_system { SBX_PROBE_TMPFS, SBX_PROBE_DEVPTS, SBX_PROBE_MQUEUE, SBX_PROBE_SYSFS };

enum {
    SBX_PROBE_NEWNS = 0x00020000,
    SBX_PROBE_NEWCGROUP = 0x02000000,
    SBX_PROBE_NEWUTS = 0x04000000,
    SBX_PROBE_NEWIPC = 0x08000000,
    SBX_PROBE_NEWPID = 0x20000000,
    SBX_PROBE_NEWNET = 0x40000000,
    SBX_PROBE_LISTENER = 0x08,
    SBX_PROBE_WAIT_KILLABLE = 0x20,
};

struct sbx_probe_answer {
    int32_t error; /* errno, 0 where it worked */
    int64_t value;
    char during[40]; /* what failed */
};

enum sbx_probe_end { SBX_PROBE_ANSWERED, SBX_PROBE_DIED, SBX_PROBE_TIMED_OUT };

/* Runs a probe in a child, which is gone afterwards. Returns how it ended, or -errno where there could be no child.
 * `*signal`: what killed it, 0 if it exited without an answer. */
int sbx_probe_run(int probe, int64_t argument, int limit_ms, struct sbx_probe_answer *answer, int *signal);

/* A child in a user namespace of its own, without maps, that waits for the go pipe; its report pipe has one sbx_report with the
 * errno of unshare in `value` first. 0 or -errno; the caller owns the descriptors. */
int sbx_probe_namespace(struct sbx_child *child);

/* Whether FICLONE makes `target` share `source`'s blocks: 0 or -errno. */
int sbx_reflink(int target, int source);

/* Bytes that this user may still write to the file system of `directory`, and all of it; 0 or -errno. */
int sbx_disk_space(int directory, uint64_t *available, uint64_t *total);
