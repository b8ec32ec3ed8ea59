/* Defences that can be left out in a test build (-DWEAKENED), to prove that the attacks of the tests see them missing:
 * LICHEN_WEAKEN in the environment names them, with commas between. In every other build these are constants, and nothing of
 * this is in the program. Sources/Defences is the same for Swift; scripts/weaken makes such a build. */
#pragma once

#ifdef WEAKENED
#include <stdint.h>

int sbx_is_weakened(const char *defence);
/* Whether a step of the set-up in child_step.c is left out. */
int sbx_skips_step(int32_t step);
/* Namespaces that a step does not get: CLONE_NEW*. */
uint64_t sbx_missing_namespaces(void);
/* The host's /proc at `target`, for a step that is in the host's PID namespace and can mount none of its own; its descriptor. */
int sbx_bind_proc(int target);
/* What the worker gets in place of an empty environment, so that it knows as well. */
const char *const *sbx_weak_environment(void);
#else
#define sbx_is_weakened(defence) 0
#define sbx_skips_step(step) 0
#define sbx_missing_namespaces() 0
#define sbx_bind_proc(target) -1
#endif
