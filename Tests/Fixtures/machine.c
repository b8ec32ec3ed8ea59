/* A base image for any machine: /bin/sh is this program, and so is /bin/machine. Static, so that the image needs nothing else.
 *
 *   sh -c 'WORD WORD'   executes WORD, no quotes
 *   machine FILE        writes uname(2)'s machine, then what several ways of starting a program make of it
 *   machine append FILE adds a line with the name it was called by
 *   machine seize FILE  adds what the kernel answers to one who would empty its parent's program
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

static void add(const char *path, const char *words) {
    FILE *file = fopen(path, "a");
    if (!file) _exit(20);
    fprintf(file, "%s\n", words);
    fclose(file);
}

static void *in_thread(void *path) {
    add(path, "a thread");
    return NULL;
}

/* posix_spawn is vfork and execve. */
static void start(const char *program, char *const *words) {
    pid_t child;
    int status;
    if (posix_spawn(&child, program, NULL, NULL, words, environ) != 0) _exit(21);
    if (waitpid(child, &status, 0) < 0 || status != 0) _exit(22);
}

static int shell(char *line) {
    char *words[64];
    int count = 0;
    for (char *word = strtok(line, " "); word && count < 63; word = strtok(NULL, " ")) words[count++] = word;
    words[count] = NULL;
    execvp(words[0], words);
    return 127;
}

int main(int count, char **arguments) {
    const char *name = strrchr(arguments[0], '/') ? strrchr(arguments[0], '/') + 1 : arguments[0];
    if (strcmp(name, "sh") == 0 && count == 3) return shell(arguments[2]);
    if (count == 3 && strcmp(arguments[1], "append") == 0) {
        add(arguments[2], arguments[0]);
        return 0;
    }
    if (count == 3 && strcmp(arguments[1], "seize") == 0) {
        char path[64];
        snprintf(path, sizeof path, "/proc/%d/exe", (int)getppid());
        int file = open(path, O_WRONLY | O_TRUNC);
        add(arguments[2], file < 0 ? strerror(errno) : "seized");
        return 0;
    }
    if (count != 2) return 2;
    char *path = arguments[1];
    struct utsname names;
    if (uname(&names) != 0) return 3;
    add(path, names.machine);
    pthread_t thread;
    if (pthread_create(&thread, NULL, in_thread, path) != 0) return 4;
    pthread_join(thread, NULL);
    char *again[] = {"by another name", "append", path, NULL};
    start("/proc/self/exe", again);
    char *seize[] = {"machine", "seize", path, NULL};
    start("/bin/machine", seize);
    char *through[] = {"sh", "-c", "machine append ", NULL};
    char line[256];
    snprintf(line, sizeof line, "machine append %s", path);
    through[2] = line;
    start("/bin/sh", through);
    return 0;
}
