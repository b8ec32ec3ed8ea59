/* Attacks on a sandbox from within, and what they are aimed at outside. Linked into lichen, which a step executes for
 * `lichen attack`; and into a small static program by the tests. */
#pragma once

/* The first argument by which lichen knows that it is the attacker. */
#define ATK_ARGUMENT "--lichen-attack"

/* Carries out the attack that the arguments name, see attack.c, and gives the exit status. */
int atk_main(int argc, char **argv);

/* The files that this process was loaded from beside its program: calls `found` with the path of each shared library, and of
 * the loader with `is_loader` (that path is written into the program). */
void atk_libraries(void (*found)(const char *path, int is_loader, void *context), void *context);

/* What the attacks are aimed at; each gives -errno if it can't be made. */

/* A listening socket with an abstract name; its descriptor. */
int atk_make_socket(const char *name);
/* A process of this user that waits for its end; its id. It ends with us. */
int atk_make_process(void);
/* Whether it still waits, untraced: 1, or 0. */
int atk_is_well(int pid);
void atk_end_process(int pid);
/* A segment of System V memory that everybody may use; its id. */
int atk_make_memory(void);
void atk_remove_memory(int id);
/* A key in the session's keyring; its id. */
int atk_make_key(const char *name);
void atk_remove_key(int id);
