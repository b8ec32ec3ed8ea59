/* What is alive below a process, for the programs of the crash tests. Nothing is found by name. */
#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { MOST = 64 };

static inline long now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * 1000000 + time.tv_nsec / 1000;
}

/* The living children of a process, from all of its threads. */
static inline int children(pid_t parent, pid_t *found) {
    char path[300], line[512];
    int count = 0;
    snprintf(path, sizeof path, "/proc/%d/task", parent);
    DIR *tasks = opendir(path);
    if (!tasks) return 0;
    for (struct dirent *task; (task = readdir(tasks));) {
        if (task->d_name[0] == '.') continue;
        snprintf(path, sizeof path, "/proc/%d/task/%s/children", parent, task->d_name);
        FILE *file = fopen(path, "re");
        if (!file) continue;
        for (int child; count < MOST && fscanf(file, "%d", &child) == 1;) {
            snprintf(path, sizeof path, "/proc/%d/stat", child);
            FILE *stat = fopen(path, "re");
            char *state = stat && fgets(line, sizeof line, stat) ? strrchr(line, ')') : 0;
            if (state && state[2] != 'Z' && state[2] != 'X') found[count++] = child;
            if (stat) fclose(stat);
        }
        fclose(file);
    }
    closedir(tasks);
    return count;
}

static inline int count_all(pid_t process) {
    pid_t found[MOST];
    int count = children(process, found), all = count;
    for (int i = 0; i < count; i++) all += count_all(found[i]);
    return all;
}

/* How many of those that became our children (PR_SET_CHILD_SUBREAPER) are alive a minute from now; 0 as soon as none is: who has
 * been killed needs a processor to go. */
static inline int count_left(void) {
    int left = 1;
    for (long late = now() + 60000000; left && now() < late;) {
        while (waitpid(-1, 0, WNOHANG) > 0) continue;
        left = count_all(getpid());
        if (left) usleep(2000);
    }
    return left;
}
