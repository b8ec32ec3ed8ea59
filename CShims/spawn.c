#include "sbx_spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "weak.h"

typedef void (*child_main)(const void *spec, int go, int report);

/* Clones a child that sees both pipes' far ends and nothing else of this call. All signals are blocked across the clone:
 * a handler of the parent's that ran in the child would write into the parent's pipes. */
static int spawn(uint64_t flags, child_main run, const void *spec, struct sbx_child *child) {
    int go[2], report[2], pidfd = -1;
    if (pipe2(go, O_CLOEXEC) < 0) return -errno;
    if (pipe2(report, O_CLOEXEC) < 0) {
        int error = errno;
        close(go[0]), close(go[1]);
        return -error;
    }
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    struct clone_args args = {
        .flags = flags | CLONE_PIDFD, .pidfd = (uint64_t)(uintptr_t)&pidfd, .exit_signal = SIGCHLD};
    long pid = syscall(SYS_clone3, &args, sizeof args);
    int error = errno;
    if (pid == 0) {
        close(go[1]);
        close(report[0]);
        run(spec, go[0], report[1]);
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    close(go[0]);
    close(report[1]);
    if (pid < 0) {
        close(go[1]);
        close(report[0]);
        return -error;
    }
    *child = (struct sbx_child){.pid = (int32_t)pid, .pidfd = pidfd, .go = go[1], .report = report[0]};
    return 0;
}

static _Noreturn void step(const void *spec, int go, int report) { sbx_step_main(spec, go, report); }
static _Noreturn void worker(const void *spec, int go, int report) { sbx_worker_main(spec, go, report); }

static _Noreturn void guard(const void *spec, int go, int report) { sbx_guard_main(spec, go, report); }

int sbx_clone_step(const struct sbx_step_spec *spec, struct sbx_child *child) {
    /* The cgroup namespace comes later: its root is the cgroup of its first process, which the parent chooses before it
     * lets the child go. */
    uint64_t flags = CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWIPC | CLONE_NEWUTS;
    if (spec->new_network) flags |= CLONE_NEWNET;
    flags &= ~(uint64_t)sbx_missing_namespaces();
    return spawn(flags, step, spec, child);
}

int sbx_clone_worker(const struct sbx_worker_spec *spec, struct sbx_child *child) {
    static const uint64_t flags[] = {
        [SBX_WORKER_USER] = CLONE_NEWUSER | CLONE_NEWNS,
        [SBX_WORKER_ISOLATED] = CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWIPC,
        [SBX_WORKER_PLAIN] = 0,
    };
    return spawn(flags[spec->namespaces], worker, spec, child);
}

int sbx_clone_guard(const struct sbx_guard_spec *spec, struct sbx_child *child) {
    return spawn(CLONE_NEWPID, guard, spec, child);
}

int sbx_let_go(int go) {
    sigset_t pipe, before;
    sigemptyset(&pipe);
    sigaddset(&pipe, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &pipe, &before);
    ssize_t count;
    do {
        count = write(go, "", 1);
    } while (count < 0 && errno == EINTR);
    int error = count < 0 ? errno : 0;
    if (error == EPIPE) {
        struct timespec now = {0};
        while (sigtimedwait(&pipe, NULL, &now) < 0 && errno == EINTR) continue;
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return -error;
}
