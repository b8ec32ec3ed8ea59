/* How an attack tells what came of it: one `name value` a line; an error is its symbol (EPERM), never a text. */
#pragma once
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <stdio.h>

#include "CAttack.h"

#define COUNT(table) (sizeof(table) / sizeof(*(table)))

extern FILE *atk_answers;

/* `name ok`, or the symbol of errno where `result` is negative. */
void atk_say(const char *name, long result);

/* In a process of its own: what comes back may be a signal, two processes, or none. */
void atk_apart(const char *name, long (*call)(const void *), const void *argument);

/* calls.c */
void atk_calls(void);
void atk_mounts(void);
void atk_foreign(void);
void atk_namespaces(void);
void atk_personalities(void);
void atk_filters(void);
void atk_prctls(void);
void atk_ioctls(void);

/* reach.c */
void atk_output(void);
void atk_writable(const char *name, const char *path);
void atk_init_process(void);
void atk_masks(int count, char **paths);
void atk_terminal(void);
void atk_exhaust(void);
void atk_attributes(const char *path);
void atk_thread(void);
void atk_leave(const char *mark, const char *file, const char *way);
_Noreturn void atk_busy(const char *file, const char *way);

/* sight.c */
void atk_identity(void);
void atk_spaces(void);
void atk_descriptors(void);
void atk_environment(void);
void atk_open(const char *path);
void atk_devices(const char *directory);

/* host.c */
void atk_host_file(const char *path);
void atk_host_process(int pid);
void atk_host_socket(const char *name);
void atk_host_memory(int id);
void atk_host_key(const char *name);
