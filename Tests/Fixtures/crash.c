/* Runs a program and kills one of its processes at an instant; then looks whether any process of it is left.
 *
 *     crash WHICH DELAY_US PROGRAM ARGUMENT…
 *
 * WHICH: `builder` is the program itself, `worker` its child that has children or stays, `unpacker` the worker's child that says so,
 * `init` another child of the worker, `command` a child of that one; `nobody` is killed where it is only looked what is left. The
 * delay counts from the moment when the victim is there. Everything that the program leaves behind becomes our child
 * (PR_SET_CHILD_SUBREAPER): nothing is found by name, and nobody else's process is touched.
 *
 * Prints `killed WHICH STATUS left N`: the program's exit status or minus its signal, and how many processes were alive a
 * minute after its end. Exit status 0 if none was, whether or not the victim ever came. */
#define _GNU_SOURCE
#include "processes.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>

/* The worker is set up by newuidmap and newgidmap, which are children of the builder, too, and set-user-id: not ours to kill. */
static int is_ours(pid_t process) {
    char path[64], name[32] = "";
    snprintf(path, sizeof path, "/proc/%d/comm", process);
    FILE *file = fopen(path, "re");
    if (file) {
        if (!fgets(name, sizeof name, file)) name[0] = 0;
        fclose(file);
    }
    return name[0] && strncmp(name, "new", 3);
}

static int is_unpacker(pid_t process) {
    char path[64], words[256] = "";
    snprintf(path, sizeof path, "/proc/%d/cmdline", process);
    FILE *file = fopen(path, "re");
    if (!file) return 0;
    size_t count = fread(words, 1, sizeof words - 1, file);
    fclose(file);
    return memmem(words, count, "--lichen-unpacker", 17) != 0;
}

static pid_t find(pid_t builder, const char *which) {
    int wants_unpacker = !strcmp(which, "unpacker");
    int depth = !strcmp(which, "worker") ? 1 : !strcmp(which, "init") || wants_unpacker ? 2 : !strcmp(which, "command") ? 3 : 0;
    pid_t process = builder;
    for (int level = 0; level < depth; level++) {
        pid_t found[MOST];
        int count = children(process, found);
        process = 0;
        for (int i = 0; i < count && !process; i++)
            if (is_ours(found[i]) && (level != 1 || is_unpacker(found[i]) == wants_unpacker)) process = found[i];
        if (!process) return 0;
    }
    return process;
}

int main(int count, char **arguments) {
    if (count < 4) return 2;
    const char *which = arguments[1];
    long delay = atol(arguments[2]), end = 0;
    prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
    pid_t builder = fork();
    if (builder == 0) {
        execvp(arguments[3], arguments + 3);
        _exit(127);
    }
    int status = -1, done = 0, is_killed = 0, is_watching = strcmp(which, "nobody") != 0;
    while (!done) {
        int word;
        pid_t reaped = waitpid(-1, &word, WNOHANG);
        if (reaped == builder) {
            status = WIFEXITED(word) ? WEXITSTATUS(word) : -WTERMSIG(word);
            done = 1;
        }
        if (done || reaped > 0) continue;
        pid_t victim = is_killed || !is_watching ? 0 : find(builder, which);
        if (victim && !end) end = now() + delay;
        if (victim && now() >= end) is_killed = kill(victim, SIGKILL) == 0;
        else usleep(is_killed || !is_watching ? 2000 : end && end - now() < 500 ? 20 : 300);
    }
    int left = count_left();
    printf("%s %s %d left %d\n", is_killed ? "killed" : "missed", which, status, left);
    return left ? 1 : 0;
}
