/* Processes and signals. Results as in sbx_fs.h: 0 or a descriptor, else -errno. */
#pragma once
#include <spawn.h>
#include <stdint.h>
#include <sys/types.h>

int sbx_pidfd_send_signal(int pidfd, int signal);

/* A copy of descriptor `number` of another process, close-on-exec (Linux 5.6). */
int sbx_pidfd_getfd(int pidfd, int number);

/* Waits for the child behind `pidfd` and reaps it. `status` as wait(2) gives it. */
int sbx_wait_pidfd(int pidfd, int *status);

/* Has a child of posix_spawn close every descriptor from `first` on; 0 or an errno, as posix_spawn's own functions. */
int sbx_spawn_close_from(posix_spawn_file_actions_t *actions, int first);

/* From now on no other process of this user can read our memory or descriptors through /proc or ptrace. */
int sbx_set_not_dumpable(void);

/* Writes one byte to a non-blocking pipe at each SIGINT, SIGTERM or SIGHUP (the byte is the signal's number); the read end
 * goes to `*read_end`. SIGPIPE is ignored. Call once. */
int sbx_catch_signals(int *read_end);

/* Ends this process as `signal` does by default, so that a shell sees why. */
_Noreturn void sbx_die_by_signal(int signal);

/* A datagram-free message: bytes with at most `SBX_FDS_MAX` descriptors beside the first byte. */
enum { SBX_FDS_MAX = 16 };
ssize_t sbx_send(int socket, const void *bytes, size_t count, const int *fds, int fd_count);
/* `*fd_count`: in, the room in `fds`; out, how many came. A truncated control message is -EMSGSIZE. */
ssize_t sbx_receive(int socket, void *bytes, size_t count, int *fds, int *fd_count);

/* How many processors this process may use. */
int sbx_processor_count(void);
/* The Landlock ABI of the running kernel, 0 if it has none. */
int sbx_landlock_abi(void);
