/* Between clone3 and execve: async-signal-safe calls only, no malloc, nothing of Swift. The undefined symbols of this file
 * and of the other child_*.c are compared with a list by the tests. */
#include "sbx_spawn.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

/* The kernel's sigaction, so that the numbers glibc keeps for itself are reset, too. */
struct kernel_sigaction {
    void (*handler)(int);
    unsigned long flags;
    void (*restorer)(void);
    unsigned long mask;
};

int sbx_child_reset_signals(void) {
    struct kernel_sigaction act = {.handler = SIG_DFL};
    for (int number = 1; number < 65; number++)
        syscall(SYS_rt_sigaction, number, &act, NULL, 8ul); /* KILL and STOP refuse; nothing to do about them */
    unsigned long none = 0;
    return (int)syscall(SYS_rt_sigprocmask, SIG_SETMASK, &none, NULL, 8ul);
}

/* A terminal sends its signals to the whole group. It is the builder that ends a build, and the worker then has to clean up. */
void sbx_child_ignore_interrupts(void) {
    static const int numbers[] = {SIGHUP, SIGINT, SIGTERM};
    struct kernel_sigaction act = {.handler = SIG_IGN};
    for (unsigned int i = 0; i < sizeof numbers / sizeof numbers[0]; i++)
        syscall(SYS_rt_sigaction, numbers[i], &act, NULL, 8ul);
}

/* The parent may have died before the prctl: then nobody holds the write end of the go pipe, and poll says so. */
int sbx_child_die_with_parent(int go) {
    if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) < 0) return -1;
    struct pollfd end = {.fd = go};
    if (poll(&end, 1, 0) > 0 && (end.revents & POLLHUP)) {
        errno = ESRCH;
        return -1;
    }
    return 0;
}

int sbx_child_await_id_map(int go) {
    char byte;
    for (;;) {
        ssize_t count = read(go, &byte, 1);
        if (count == 1) return 0;
        if (count < 0 && errno == EINTR) continue;
        if (count == 0) errno = ECANCELED; /* the parent could not write the maps, and says why itself */
        return -1;
    }
}

/* Private, not slave: a mount that appears on the host in the middle of a RUN must not appear in it. */
int sbx_child_make_mounts_private(void) { return mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL); }

_Noreturn void sbx_child_fail(int report, int32_t step) {
    struct sbx_report message = {.step = step, .value = errno};
    (void)!write(report, &message, sizeof message);
    /* Not _exit: under a sanitizer that flushes the parent's buffers a second time. */
    for (;;) syscall(SYS_exit_group, 127);
}
