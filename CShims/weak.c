#include "weak.h"

#ifdef WEAKENED
#include <fcntl.h>
#include <linux/sched.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sbx_mount.h"
#include "sbx_spawn.h"

#define VARIABLE "LICHEN_WEAKEN"

int sbx_is_weakened(const char *defence) {
    const char *list = getenv(VARIABLE);
    size_t length = strlen(defence);
    while (list && *list) {
        size_t word = strcspn(list, ",");
        if (word == length && !strncmp(list, defence, length)) return 1;
        list += word + (list[word] == ',');
    }
    return 0;
}

/* A namespace that is not made can have no mqueue or host name of its own either. */
static const struct { const char *defence; int32_t step; } steps[] = {
    {"cgroupNamespace", SBX_STEP_CGROUP_NAMESPACE}, {"utsNamespace", SBX_STEP_SET_HOSTNAME},
    {"ipcNamespace", SBX_STEP_MOUNT_MQUEUE}, {"procMasks", SBX_STEP_PROTECT_PROC},
    {"session", SBX_STEP_NEW_SESSION}, {"descriptors", SBX_STEP_CLOSE_DESCRIPTORS},
    {"keyring", SBX_STEP_NEW_KEYRING}, {"resourceLimits", SBX_STEP_RESOURCE_LIMITS},
    {"landlock", SBX_STEP_LANDLOCK},
    {"capabilities", SBX_STEP_BOUNDING_SET}, {"capabilities", SBX_STEP_CAPABILITIES},
    {"seccomp", SBX_STEP_SECCOMP}, {"seccomp", SBX_STEP_SECCOMP_BEFORE_USER},
};

int sbx_skips_step(int32_t step) {
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++)
        if (steps[i].step == step && sbx_is_weakened(steps[i].defence)) return 1;
    return 0;
}

uint64_t sbx_missing_namespaces(void) {
    return (sbx_is_weakened("pidNamespace") ? CLONE_NEWPID : 0) | (sbx_is_weakened("ipcNamespace") ? CLONE_NEWIPC : 0) |
           (sbx_is_weakened("utsNamespace") ? CLONE_NEWUTS : 0);
}

int sbx_bind_proc(int target) {
    int proc = sbx_clone_mount(AT_FDCWD, "/proc", 1);
    int result = proc < 0 ? proc : sbx_move_mount(proc, target);
    return result < 0 ? result : proc;
}

const char *const *sbx_weak_environment(void) {
    static char text[512];
    static const char *environment[] = {text, NULL};
    const char *value = getenv(VARIABLE);
    snprintf(text, sizeof text, VARIABLE "=%s", value ? value : "");
    return environment;
}
#endif
