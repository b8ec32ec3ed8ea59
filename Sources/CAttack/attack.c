/* Attacks a sandbox from within and prints what came of it; see answers.h.
 *
 *   attack calls              calls that open attack surface of the kernel
 *   attack mounts             the calls of the mount family, old and new
 *   attack foreign            calls by the doors of other machines: int 0x80 and x32
 *   attack namespaces         new namespaces, and those of process 1
 *   attack personality        other personalities
 *   attack filters            filters of its own
 *   attack prctl              options of prctl
 *   attack ioctl              requests of devices and files
 *
 *   attack output [FILE]      what its standard output and error are good for; the answers go to FILE, or there afterwards
 *   attack exe                the file of process 1 and its own, for writing
 *   attack init               process 1: signals, limits, priorities, tracing
 *   attack masks PATH...      takes covers off: unmounts, remounts and binds over each path
 *   attack terminal           types into terminals
 *   attack exhaust            descriptors until there are no more
 *   attack attributes PATH    extended attributes that mean something to overlay, to the host's modules, or to the kernel
 *   attack thread             starts a thread, as a C library does
 *   attack daemons MARK FILE  leaves processes behind that write to FILE, each with MARK in its command line
 *
 *   attack identity           capabilities and flags of its own, and its groups
 *   attack spaces             the namespaces that it is in
 *   attack descriptors        open descriptors
 *   attack environment        names of variables, its own and those of process 1
 *   attack open PATH...       reads a little of each path, then opens it for writing
 *   attack devices DIRECTORY  makes device nodes
 *
 *   attack host-file PATH     a file of the host, by all ways to it
 *   attack host-process PID   a process of the host
 *   attack host-socket NAME   an abstract socket of the host
 *   attack host-memory ID     System V memory of the host
 *   attack host-key NAME      a key of the user's session
 */
#include "answers.h"

#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

extern const char *strerrorname_np(int);
FILE *atk_answers;

void atk_say(const char *name, long result) {
    if (result >= 0) fprintf(atk_answers, "%s ok\n", name);
    else fprintf(atk_answers, "%s %s\n", name, strerrorname_np(errno));
    fflush(atk_answers);
}

void atk_apart(const char *name, long (*call)(const void *), const void *argument) {
    fflush(atk_answers);
    pid_t child = fork();
    if (child == 0) {
        atk_say(name, call(argument));
        _exit(0);
    }
    int status;
    waitpid(child, &status, 0);
    if (WIFSIGNALED(status)) fprintf(atk_answers, "%s signal %d\n", name, WTERMSIG(status));
}

/* Answers that go through what is attacked would be cut off by an attack that succeeds. */
static void output(const char *file) {
    char *text = NULL;
    size_t size = 0;
    atk_answers = file ? fopen(file, "w") : open_memstream(&text, &size);
    if (!atk_answers) exit(74);
    atk_output();
    fclose(atk_answers);
    if (text) fwrite(text, 1, size, stdout);
    free(text);
}

static void daemons(const char *mark, const char *file) {
    static const char *const ways[] = {"plain", "stopped", "subreaper"};
    for (size_t i = 0; i < COUNT(ways); i++) atk_leave(mark, file, ways[i]);
    usleep(200000);
}

/* Attacks that need no words of their own. */
static const struct { const char *name; void (*attack)(void); } plain[] = {
    {"calls", atk_calls}, {"mounts", atk_mounts}, {"foreign", atk_foreign}, {"namespaces", atk_namespaces},
    {"personality", atk_personalities}, {"filters", atk_filters}, {"prctl", atk_prctls}, {"ioctl", atk_ioctls},
    {"init", atk_init_process}, {"terminal", atk_terminal}, {"exhaust", atk_exhaust}, {"thread", atk_thread},
    {"identity", atk_identity}, {"spaces", atk_spaces}, {"descriptors", atk_descriptors},
    {"environment", atk_environment},
};

/* Attacks on one thing, which is named. */
static const struct { const char *name; void (*attack)(const char *word); } aimed[] = {
    {"attributes", atk_attributes}, {"devices", atk_devices}, {"host-file", atk_host_file},
    {"host-socket", atk_host_socket}, {"host-key", atk_host_key},
};

int atk_main(int argc, char **argv) {
    if (argc > 1 && !strcmp(argv[1], ATK_ARGUMENT)) argc--, argv++;
    const char *command = argc > 1 ? argv[1] : "";
    atk_answers = stdout;
    for (size_t i = 0; i < COUNT(plain); i++)
        if (!strcmp(command, plain[i].name)) return plain[i].attack(), 0;
    for (size_t i = 0; i < COUNT(aimed); i++)
        if (!strcmp(command, aimed[i].name) && argc == 3) return aimed[i].attack(argv[2]), 0;
    if (!strcmp(command, "output")) output(argc > 2 ? argv[2] : NULL);
    else if (!strcmp(command, "exe")) atk_writable("own", "/proc/self/exe"), atk_writable("init", "/proc/1/exe");
    else if (!strcmp(command, "masks")) atk_masks(argc - 2, argv + 2);
    else if (!strcmp(command, "open")) for (int i = 2; i < argc; i++) atk_open(argv[i]);
    else if (!strcmp(command, "host-process") && argc == 3) {
        /* 0 and less would be whole groups of processes, where there is no sandbox around. */
        int pid = atoi(argv[2]);
        if (pid < 2) return 64;
        atk_host_process(pid);
    }
    else if (!strcmp(command, "host-memory") && argc == 3) atk_host_memory(atoi(argv[2]));
    else if (!strcmp(command, "busy") && argc == 5) atk_busy(argv[3], argv[4]);
    else if (!strcmp(command, "daemons") && argc == 4) daemons(argv[2], argv[3]);
    else return 64;
    fflush(stdout);
    return 0;
}
