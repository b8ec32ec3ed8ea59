/* A guard's way from clone3 to its wait; the rules of child_common.c hold. */
#include "sbx_spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* What is kept becomes 3, the report pipe 4 (close-on-exec), errors 2; every other descriptor is closed, the go pipe as well: the
 * parent-death signal is what ends this process. */
static int arrange_descriptors(const struct sbx_guard_spec *spec, int *report) {
    int keep = fcntl(spec->keep, F_DUPFD_CLOEXEC, 16), errors = fcntl(spec->errors, F_DUPFD_CLOEXEC, 16);
    int high_report = fcntl(*report, F_DUPFD_CLOEXEC, 16);
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    if (keep < 0 || errors < 0 || high_report < 0 || null < 0) return -1;
    null = fcntl(null, F_DUPFD_CLOEXEC, 16);
    if (null < 0 || dup3(null, 0, 0) < 0 || dup3(null, 1, 0) < 0 || dup3(errors, 2, 0) < 0) return -1;
    if (dup3(keep, 3, 0) < 0 || dup3(high_report, 4, O_CLOEXEC) < 0) return -1;
    *report = 4;
    return (int)syscall(SYS_close_range, 5u, ~0u, 0u);
}

static _Noreturn void watch(int report, long program) {
    /* The reader of what is kept waits for the program's end of it, not for ours. */
    close(3);
    for (;;) {
        int status;
        pid_t pid = wait4(-1, &status, 0, NULL);
        if (pid == program) {
            struct sbx_report message = {.step = SBX_STEP_EXITED, .value = status};
            (void)!write(report, &message, sizeof message);
        }
        if (pid < 0 && errno != EINTR)
            for (;;) syscall(SYS_exit_group, 0);
    }
}

_Noreturn void sbx_guard_main(const struct sbx_guard_spec *spec, int go, int report) {
    if (sbx_child_reset_signals() < 0) sbx_child_fail(report, SBX_STEP_RESET_SIGNALS);
    sbx_child_ignore_interrupts();
    /* Its memory is a copy of the worker's. Nobody signals or traces process 1 from below, and nobody else sees it. */
    if (prctl(PR_SET_NAME, "lichen-guard", 0, 0, 0) < 0 || prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0 ||
        sbx_child_die_with_parent(go) < 0)
        sbx_child_fail(report, SBX_STEP_DIE_WITH_PARENT);
    if (arrange_descriptors(spec, &report) < 0) sbx_child_fail(report, SBX_STEP_CLOSE_DESCRIPTORS);
    long program = syscall(SYS_clone, (unsigned long)SIGCHLD, 0ul, 0ul, 0ul, 0ul);
    if (program < 0) sbx_child_fail(report, SBX_STEP_FORK_INIT);
    if (program > 0) watch(report, program);
    execve(spec->program, (char *const *)spec->arguments, (char *const *)spec->environment);
    sbx_child_fail(report, SBX_STEP_EXECVE);
}
