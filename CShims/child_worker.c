/* The worker's way from clone3 to execve; the rules of child_common.c hold. */
#include "sbx_spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "weak.h"

/* Root of namespace A. Its supplementary groups stay (a shared project directory stays readable), so no setgroups. */
static int become_root(void) {
    if (syscall(SYS_setresgid, 0, 0, 0) < 0) return -1;
    return (int)syscall(SYS_setresuid, 0, 0, 0);
}

/* Root of namespace A, and a mount namespace that no mount leaves or enters. */
static void enter_namespaces(int go, int report) {
    if (become_root() < 0) sbx_child_fail(report, SBX_STEP_BECOME_ROOT);
    /* A change of credentials clears the parent-death signal. */
    if (sbx_child_die_with_parent(go) < 0) sbx_child_fail(report, SBX_STEP_DIE_WITH_PARENT_AGAIN);
    if (sbx_child_make_mounts_private() < 0) sbx_child_fail(report, SBX_STEP_MAKE_MOUNTS_PRIVATE);
}

/* The descriptor to keep becomes 3, the report pipe 4 (close-on-exec), and every other is closed. */
static int close_descriptors(int keep, int *report) {
    int high_keep = fcntl(keep, F_DUPFD_CLOEXEC, 16);
    int high_report = fcntl(*report, F_DUPFD_CLOEXEC, 16);
    if (high_keep < 0 || high_report < 0) return -1;
    if (dup3(high_report, 4, O_CLOEXEC) < 0) return -1;
    *report = 4;
    if (dup3(high_keep, 3, 0) < 0) return -1;
    return sbx_is_weakened("descriptors") ? 0 : (int)syscall(SYS_close_range, 5u, ~0u, 0u);
}

_Noreturn void sbx_worker_main(const struct sbx_worker_spec *spec, int go, int report) {
    if (sbx_child_reset_signals() < 0) sbx_child_fail(report, SBX_STEP_RESET_SIGNALS);
    sbx_child_ignore_interrupts();
    if (sbx_child_die_with_parent(go) < 0) sbx_child_fail(report, SBX_STEP_DIE_WITH_PARENT);
    if (sbx_child_await_id_map(go) < 0) sbx_child_fail(report, SBX_STEP_AWAIT_ID_MAP);
    if (spec->namespaces != SBX_WORKER_PLAIN) enter_namespaces(go, report);
    if (close_descriptors(spec->keep, &report) < 0) sbx_child_fail(report, SBX_STEP_CLOSE_DESCRIPTORS);
#ifdef WEAKENED
    execve(spec->program, (char *const *)spec->arguments, (char *const *)sbx_weak_environment());
#endif
    execve(spec->program, (char *const *)spec->arguments, (char *const *)spec->environment);
    sbx_child_fail(report, SBX_STEP_EXECVE);
}
