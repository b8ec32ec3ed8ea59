/* The supervisor's loop.
 *
 * Whoever calls can be hostile, and go on running in other threads while one of them waits here. So what counts is read once and
 * acted upon; a call goes on (SECCOMP_USER_NOTIF_FLAG_CONTINUE) only where the kernel's own judgement stays what protects;
 * nothing of the caller's is ever opened but as O_PATH, so that no pipe or device of its can hold this thread. A read of its
 * memory may wait for a userfaultfd of its own, where a policy allows those: until the step's end, and only its own calls wait. */
#include "supervise.h"

#include <errno.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Since Linux 6.6: the caller wakes on this processor at once. */
#define SET_FLAGS SECCOMP_IOW(4, uint64_t)
enum { SYNC_WAKE_UP = 1 };

int sbx_call_waits(int listener, uint64_t id) { return ioctl(listener, SECCOMP_IOCTL_NOTIF_ID_VALID, &id) == 0; }

static struct answer decide(struct supervision *s, const struct sbx_call *call) {
    const struct sbx_supervisor *told = s->told;
    if (told->is_denied(told->context, call)) return refuse(EPERM);
    uint8_t handler = call->number < told->handler_count ? told->handlers[call->number] : SBX_HANDLE_NOTHING;
    switch (handler) {
    case SBX_HANDLE_CHOWN:
    case SBX_HANDLE_LCHOWN:
    case SBX_HANDLE_FCHOWN:
    case SBX_HANDLE_FCHOWNAT: return sbx_handle_chown(s, call, handler);
    case SBX_HANDLE_SETUID:
    case SBX_HANDLE_SETGID:
    case SBX_HANDLE_SETREUID:
    case SBX_HANDLE_SETREGID:
    case SBX_HANDLE_SETRESUID:
    case SBX_HANDLE_SETRESGID:
    case SBX_HANDLE_SETGROUPS: return sbx_handle_ids(s, call, handler);
    case SBX_HANDLE_GETXATTR:
    case SBX_HANDLE_SETXATTR:
    case SBX_HANDLE_REMOVEXATTR:
    case SBX_HANDLE_LISTXATTR:
    case SBX_HANDLE_LLISTXATTR:
    case SBX_HANDLE_FLISTXATTR: return sbx_handle_attributes(s, call, handler);
    case SBX_HANDLE_CONNECT: return sbx_handle_connect(s, call);
    case SBX_HANDLE_SENDTO:
    case SBX_HANDLE_SENDMSG:
    case SBX_HANDLE_SENDMMSG: return sbx_handle_send(s, call, handler);
    case SBX_HANDLE_MISSING: return refuse(ENOSYS);
    default: return refuse(EPERM);
    }
}

/* The kernel's structs may be longer than ours: it says how long. */
union notification {
    struct seccomp_notif ours;
    char space[512];
};
union response {
    struct seccomp_notif_resp ours;
    char space[128];
};

int sbx_send_answer(struct supervision *s, const struct sbx_call *call, struct answer answer) {
    union response out;
    memset(&out, 0, sizeof out);
    out.ours.id = call->id;
    out.ours.val = answer.error ? 0 : answer.value;
    out.ours.error = -answer.error;
    out.ours.flags = answer.goes_on && !answer.error ? SECCOMP_USER_NOTIF_FLAG_CONTINUE : 0;
    if (ioctl(s->told->listener, SECCOMP_IOCTL_NOTIF_SEND, &out) < 0 && errno != ENOENT && errno != EINTR)
        return -errno;
    return 0;
}

/* One notification; 0, or -errno of a listener that is of no use any more. */
static int serve(struct supervision *s) {
    union notification in;
    memset(&in, 0, sizeof in); /* the kernel refuses anything else */
    if (ioctl(s->told->listener, SECCOMP_IOCTL_NOTIF_RECV, &in) < 0)
        return errno == ENOENT || errno == EINTR ? 0 : -errno; /* ENOENT: the caller is gone */
    struct sbx_call call = {.id = in.ours.id, .tid = in.ours.pid, .number = (uint32_t)in.ours.data.nr,
                            .architecture = in.ours.data.arch};
    for (int i = 0; i < 6; i++) call.arguments[i] = in.ours.data.args[i];
    /* 0: a thread that our PID namespace does not show. */
    struct answer answer = call.tid ? decide(s, &call) : refuse(EPERM);
    return answer.comes_later ? 0 : sbx_send_answer(s, &call, answer);
}

/* How often connections under way are looked at, for what no descriptor tells. */
enum { TENTH_OF_A_SECOND = 100 };

static int loop(struct supervision *s) {
    struct pollfd ends[2 + MOST_CONNECTIONS] = {{.fd = s->told->listener, .events = POLLIN},
                                                {.fd = s->told->stop, .events = POLLIN}};
    for (;;) {
        size_t connections = sbx_await_connections(s, ends + 2);
        if (poll(ends, 2 + connections, connections ? TENTH_OF_A_SECOND : -1) < 0) {
            if (errno == EINTR) continue;
            return -errno;
        }
        if (ends[1].revents) return 0;
        sbx_serve_connections(s, ends + 2, connections);
        if (ends[0].revents & POLLIN) {
            int error = serve(s);
            if (error < 0) return error;
        } else if (ends[0].revents) return 0;
    }
}

int sbx_supervise(const struct sbx_supervisor *told) {
    struct seccomp_notif_sizes sizes;
    if (syscall(SYS_seccomp, SECCOMP_GET_NOTIF_SIZES, 0, &sizes) < 0) return -errno;
    if (sizes.seccomp_notif > sizeof(union notification) || sizes.seccomp_notif_resp > sizeof(union response))
        return -EMSGSIZE;
    uint64_t flags = SYNC_WAKE_UP;
    ioctl(told->listener, SET_FLAGS, flags); /* an older kernel is slower, and no other harm */
    struct supervision *s = calloc(1, sizeof *s);
    if (!s) return -ENOMEM;
    s->told = told;
    int error = told->hides_records ? sbx_learn_self(s) : 0;
    if (error == 0) error = loop(s);
    sbx_end_connections(s);
    free(s);
    return error;
}
