/* What a step could reach of its own surroundings: process 1, covers, its outputs, terminals; and what it may leave behind. */
#include "answers.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

void atk_output(void) {
    char name[64], path[64];
    for (int fd = 1; fd <= 2; fd++) {
        struct stat status;
        fstat(fd, &status);
        fprintf(atk_answers, "kind-%d %s\n", fd, S_ISFIFO(status.st_mode) ? "pipe" : "other");
        fprintf(atk_answers, "terminal-%d %d\n", fd, isatty(fd));
        snprintf(name, sizeof name, "truncate-%d", fd);
        atk_say(name, ftruncate(fd, 0));
        snprintf(name, sizeof name, "seek-%d", fd);
        atk_say(name, lseek(fd, 0, SEEK_SET));
        snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
        char target[256] = {0};
        if (readlink(path, target, sizeof target - 1) > 0) target[4] = 0;
        fprintf(atk_answers, "link-%d %s\n", fd, target);
    }
}

/* Whether a file can be opened for writing, by its name or again through a handle. */
void atk_writable(const char *name, const char *path) {
    char text[64];
    snprintf(text, sizeof text, "%s-write", name);
    atk_say(text, open(path, O_WRONLY | O_CLOEXEC));
    int handle = open(path, O_PATH | O_CLOEXEC);
    if (handle < 0) return atk_say(name, handle);
    char again[64];
    snprintf(again, sizeof again, "/proc/self/fd/%d", handle);
    long result = -1;
    for (int i = 0; i < 2000 && result < 0; i++) result = open(again, O_WRONLY | O_CLOEXEC);
    snprintf(text, sizeof text, "%s-again", name);
    atk_say(text, result);
}

void atk_init_process(void) {
    atk_say("stop", kill(1, SIGSTOP));
    atk_say("kill", kill(1, SIGKILL));
    atk_say("priority", setpriority(PRIO_PROCESS, 1, 5));
    struct rlimit limit = {1, 1};
    atk_say("limit", prlimit(1, RLIMIT_NOFILE, &limit, NULL));
    atk_say("ioprio", syscall(SYS_ioprio_set, 1, 1, 0));
    atk_say("scheduler", sched_setscheduler(1, SCHED_BATCH, &(struct sched_param){0}));
    long attached = ptrace(PTRACE_ATTACH, 1, NULL, NULL);
    atk_say("attach", attached);
    /* Who succeeds lets it go on: stopped, it would never see the step's end. */
    if (attached == 0 && waitpid(1, NULL, __WALL) == 1) ptrace(PTRACE_DETACH, 1, NULL, NULL);
    atk_say("seize", ptrace(PTRACE_SEIZE, 1, NULL, NULL));
    atk_say("memory", open("/proc/1/mem", O_RDWR | O_CLOEXEC));
    atk_say("root", open("/proc/1/root/etc", O_RDONLY | O_CLOEXEC));
    atk_say("directory", open("/proc/1/cwd", O_RDONLY | O_CLOEXEC));
    atk_say("oom", open("/proc/1/oom_score_adj", O_WRONLY | O_CLOEXEC));
    atk_say("oom-old", open("/proc/1/oom_adj", O_WRONLY | O_CLOEXEC));
    atk_say("oom-thread", open("/proc/1/task/1/oom_score_adj", O_WRONLY | O_CLOEXEC));
    atk_say("limit-wide", syscall(SYS_prlimit64, 0x100000001L, RLIMIT_NOFILE, &limit, NULL));
    int map = open("/proc/1/uid_map", O_WRONLY | O_CLOEXEC);
    atk_say("uid_map", map < 0 ? -1 : write(map, "0 0 1", 5));
}

void atk_masks(int count, char **paths) {
    char name[512];
    for (int i = 0; i < count; i++) {
        const char *path = paths[i];
        snprintf(name, sizeof name, "umount:%s", path);
        atk_say(name, umount2(path, MNT_DETACH));
        snprintf(name, sizeof name, "remount:%s", path);
        atk_say(name, mount(NULL, path, NULL, MS_REMOUNT | MS_BIND, NULL));
        snprintf(name, sizeof name, "bind:%s", path);
        atk_say(name, mount("/tmp", path, NULL, MS_BIND, NULL));
        snprintf(name, sizeof name, "move:%s", path);
        atk_say(name, mount(path, "/tmp", NULL, MS_MOVE, NULL));
    }
}

void atk_terminal(void) {
    atk_say("tty", open("/dev/tty", O_RDWR | O_CLOEXEC));
    for (int fd = 0; fd <= 2; fd++) {
        static const struct { const char *name; unsigned long request; } requests[] = {
            {"TIOCSTI", 0x5412}, {"TIOCLINUX", 0x541c}, {"TIOCSETD", 0x5423}, {"TIOCSCTTY", 0x540e},
        };
        for (size_t i = 0; i < COUNT(requests); i++)
            for (int high = 0; high <= 1; high++) {
                char name[64], text[2] = {2, 0};
                snprintf(name, sizeof name, "%s-%d%s", requests[i].name, fd, high ? "-high" : "");
                unsigned long request = requests[i].request | (high ? 0x100000000ul : 0);
                atk_say(name, syscall(SYS_ioctl, (long)fd, request, text));
            }
    }
}

void atk_exhaust(void) {
    long count = 0;
    while (eventfd(0, EFD_CLOEXEC) >= 0) count++;
    fprintf(atk_answers, "eventfds %s\n", count > 100 && count < 2000000 ? "limited" : "?");
    fprintf(atk_answers, "then %s\n", strerrorname_np(errno));
}

void atk_attributes(const char *path) {
    static const char *const names[] = {"user.overlay.opaque", "user.overlay.whiteout", "user.overlay.redirect",
        "user.overlay.overlay.opaque", "trusted.overlay.opaque", "security.selinux", "security.ima", "user.kept"};
    for (size_t i = 0; i < COUNT(names); i++) atk_say(names[i], setxattr(path, names[i], "y", 1, 0));
}

static void *nothing(void *argument) { return argument; }

void atk_thread(void) {
    pthread_t id;
    errno = pthread_create(&id, NULL, nothing, NULL);
    atk_say("thread", errno ? -1 : pthread_join(id, NULL));
}

/* Detached as daemons are, deaf to what ends them politely, and busy. */
void atk_leave(const char *mark, const char *file, const char *way) {
    if (fork()) return;
    setsid();
    if (fork()) _exit(0);
    signal(SIGTERM, SIG_IGN);
    signal(SIGHUP, SIG_IGN);
    /* As daemons do it; and whoever reads what the step prints is not kept waiting. */
    int nowhere = open("/dev/null", O_RDWR | O_CLOEXEC);
    for (int fd = 0; fd <= 2; fd++) dup2(nowhere, fd);
    if (!strcmp(way, "subreaper")) prctl(PR_SET_CHILD_SUBREAPER, 1);
    execl("/proc/self/exe", "attack", ATK_ARGUMENT, "busy", mark, file, way, (char *)NULL);
    _exit(1);
}

_Noreturn void atk_busy(const char *file, const char *way) {
    if (!strcmp(way, "stopped")) raise(SIGSTOP);
    if (!strcmp(way, "subreaper")) fork();
    for (long i = 0;; i++) {
        FILE *out = fopen(file, "a");
        if (out) fprintf(out, "%ld\n", i), fclose(out);
        usleep(1000);
    }
}
