/* deny RULE[,RULE]… -- PROGRAM [ARGUMENT]…
 *
 * Runs PROGRAM on a simulated host: one where a seccomp filter, as containers have one, makes calls fail.
 *
 *   RULE    CALL[@ARGUMENT][&MASK][=RESULT]
 *   CALL    a system call by name (unshare), all that begin with a word (landlock_*), or #NUMBER for a new one
 *   @, &    only where the argument of this number (0 unless given) has one of the bits of MASK:
 *           clone&0x10000000 fails with CLONE_NEWUSER, seccomp@1&8 with SECCOMP_FILTER_FLAG_NEW_LISTENER
 *   RESULT  an errno by name (EPERM unless given), KILL (the process dies of SIGSYS) or HANG (the call never returns)
 *
 * Without CAP_SYS_ADMIN the filter needs no_new_privs, so that setuid programs (newuidmap) gain nothing below: that is a part
 * of the simulated host then. Exit status: PROGRAM's own; 64 for a wrong rule, 71 where the filter can't be installed.
 *
 * Build: cc -D_GNU_SOURCE -o deny deny.c -lseccomp */
#include <errno.h>
#include <fcntl.h>
#include <seccomp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { NUMBERS_END = 600, ERRNOS_END = 134, MASK_BITS = 64 };

struct rule {
    uint32_t action;
    unsigned int argument;
    uint64_t mask; /* 0: whatever the arguments are */
};

static _Noreturn void fail(int status, const char *what, const char *which) {
    fprintf(stderr, "deny: %s: %s\n", what, which);
    exit(status);
}

static uint32_t action_named(const char *name) {
    if (strcmp(name, "KILL") == 0) return SCMP_ACT_KILL_PROCESS;
    if (strcmp(name, "HANG") == 0) return SCMP_ACT_NOTIFY;
    for (int number = 1; number < ERRNOS_END; number++) {
        const char *known = strerrorname_np(number);
        if (known != NULL && strcmp(known, name) == 0) return SCMP_ACT_ERRNO((uint16_t)number);
    }
    fail(64, "no such result", name);
}

static uint64_t number_in(const char *text) {
    char *end;
    errno = 0;
    uint64_t number = strtoull(text, &end, 0);
    if (errno != 0 || end == text || *end != '\0') fail(64, "not a number", text);
    return number;
}

/* libseccomp compares a masked argument with one value; "any of these bits" is a rule a bit. */
static int deny_call(scmp_filter_ctx filter, int call, const struct rule *rule) {
    if (rule->mask == 0) return seccomp_rule_add(filter, rule->action, call, 0);
    for (int i = 0; i < MASK_BITS; i++) {
        uint64_t bit = rule->mask & (UINT64_C(1) << i);
        if (bit == 0) continue;
        struct scmp_arg_cmp has_bit = SCMP_CMP(rule->argument, SCMP_CMP_MASKED_EQ, bit, bit);
        int result = seccomp_rule_add_array(filter, rule->action, call, 1, &has_bit);
        if (result != 0) return result;
    }
    return 0;
}

static int deny_prefix(scmp_filter_ctx filter, const char *prefix, const struct rule *rule) {
    int found = 0;
    for (int call = 0; call < NUMBERS_END; call++) {
        char *name = seccomp_syscall_resolve_num_arch(SCMP_ARCH_NATIVE, call);
        if (name == NULL) continue;
        int matches = strncmp(name, prefix, strlen(prefix)) == 0;
        free(name);
        if (!matches) continue;
        int result = deny_call(filter, call, rule);
        if (result != 0) return result;
        found++;
    }
    return found > 0 ? 0 : -EINVAL;
}

/* Cuts `text` at the last `mark`; what follows, or NULL. */
static char *cut(char *text, char mark) {
    char *at = strrchr(text, mark);
    if (at == NULL) return NULL;
    *at = '\0';
    return at + 1;
}

static void deny_text(scmp_filter_ctx filter, char *text) {
    char *result = cut(text, '=');
    char *mask = cut(text, '&');
    char *argument = cut(text, '@');
    struct rule rule = {
        .action = action_named(result != NULL ? result : "EPERM"),
        .argument = argument != NULL ? (unsigned int)number_in(argument) : 0,
        .mask = mask != NULL ? number_in(mask) : 0,
    };
    if (rule.argument > 5) fail(64, "a call has arguments 0 to 5", argument);
    size_t length = strlen(text);
    int error;
    if (length > 0 && text[length - 1] == '*') {
        text[length - 1] = '\0';
        error = deny_prefix(filter, text, &rule);
    } else {
        int call = text[0] == '#' ? (int)number_in(text + 1) : seccomp_syscall_resolve_name(text);
        if (call == __NR_SCMP_ERROR) fail(64, "no such call", text);
        error = deny_call(filter, call, &rule);
    }
    if (error != 0) fail(64, text, strerror(-error));
}

/* A call that hangs is a notification which nobody answers; it lasts as long as someone holds the listener: PROGRAM does. */
static void keep_listener(scmp_filter_ctx filter) {
    int listener = seccomp_notify_fd(filter);
    if (listener >= 0) fcntl(listener, F_SETFD, 0);
}

int main(int count, char **arguments) {
    if (count < 4 || strcmp(arguments[2], "--") != 0)
        fail(64, "usage", "deny CALL[@ARGUMENT][&MASK][=RESULT],… -- PROGRAM [ARGUMENT]…");
    scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
    if (filter == NULL) fail(71, "seccomp_init", "failed");
    /* Programs of other architectures run on, unfiltered. */
    seccomp_attr_set(filter, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_ALLOW);
    char *rest = arguments[1], *text;
    while ((text = strsep(&rest, ",")) != NULL) deny_text(filter, text);

    seccomp_attr_set(filter, SCMP_FLTATR_CTL_NNP, 0);
    int error = seccomp_load(filter);
    if (error != 0) {
        seccomp_attr_set(filter, SCMP_FLTATR_CTL_NNP, 1);
        error = seccomp_load(filter);
    }
    if (error != 0) fail(71, "seccomp_load", strerror(-error));
    keep_listener(filter);
    /* Denied itself, execve would say so here. */
    execvp(arguments[3], arguments + 3);
    fail(71, arguments[3], strerror(errno));
}
