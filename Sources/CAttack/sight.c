/* What a step sees of itself and of what lies around it. */
#include "answers.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

extern char **environ;
extern const char *strerrorname_np(int);

void atk_identity(void) {
    gid_t groups[256];
    fprintf(atk_answers, "groups %d\n", getgroups((int)COUNT(groups), groups));
    char line[512];
    FILE *status = fopen("/proc/self/status", "r");
    while (status && fgets(line, sizeof line, status)) {
        static const char *const names[] = {"Cap", "NoNewPrivs", "Seccomp:"};
        for (size_t i = 0; i < COUNT(names); i++) {
            if (strncmp(line, names[i], strlen(names[i]))) continue;
            char *value = strchr(line, ':');
            *value++ = 0;
            fprintf(atk_answers, "%s %s", line, value + strspn(value, " \t"));
        }
    }
    if (status) fclose(status);
}

void atk_spaces(void) {
    static const char *const kinds[] = {"user", "mnt", "pid", "ipc", "uts", "cgroup", "net"};
    for (size_t i = 0; i < COUNT(kinds); i++) {
        char path[64], target[64] = "?";
        snprintf(path, sizeof path, "/proc/self/ns/%s", kinds[i]);
        ssize_t count = readlink(path, target, sizeof target - 1);
        target[count < 0 ? 0 : count] = 0;
        fprintf(atk_answers, "%s %s\n", kinds[i], target);
    }
}

void atk_descriptors(void) {
    DIR *directory = opendir("/proc/self/fd");
    if (!directory) return atk_say("list", -1);
    for (struct dirent *entry; (entry = readdir(directory));)
        if (entry->d_name[0] != '.' && atoi(entry->d_name) != dirfd(directory))
            fprintf(atk_answers, "descriptor-%s open\n", entry->d_name);
    closedir(directory);
}

void atk_environment(void) {
    for (char **entry = environ; *entry; entry++)
        fprintf(atk_answers, "own-%.*s set\n", (int)strcspn(*entry, "= \n"), *entry);
    atk_say("init", open("/proc/1/environ", O_RDONLY | O_CLOEXEC));
}

/* Only until the first byte: what can be read at all can be read on. */
void atk_open(const char *path) {
    char name[4200], byte;
    snprintf(name, sizeof name, "read:%.4000s", path);
    int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    struct stat status;
    if (fd < 0 || fstat(fd, &status) < 0) atk_say(name, -1);
    else if (S_ISDIR(status.st_mode)) {
        DIR *directory = fdopendir(fd);
        int count = 0;
        for (struct dirent *entry; directory && (entry = readdir(directory));) count += entry->d_name[0] != '.';
        fprintf(atk_answers, "%s %s\n", name, count ? "entries" : "empty");
    } else {
        ssize_t count = read(fd, &byte, 1);
        fprintf(atk_answers, "%s %s\n", name, count < 0 ? strerrorname_np(errno) : count ? "bytes" : "empty");
    }
    snprintf(name, sizeof name, "write:%.4000s", path);
    atk_say(name, open(path, O_WRONLY | O_NONBLOCK | O_CLOEXEC));
}

void atk_devices(const char *directory) {
    static const struct { const char *name; mode_t kind; unsigned int major, minor; } nodes[] = {
        {"null", S_IFCHR, 1, 3}, {"mem", S_IFCHR, 1, 1}, {"disk", S_IFBLK, 8, 0}, {"fuse", S_IFCHR, 10, 229},
    };
    for (size_t i = 0; i < COUNT(nodes); i++) {
        char path[512];
        snprintf(path, sizeof path, "%.400s/attack-%s", directory, nodes[i].name);
        int result = mknod(path, nodes[i].kind | 0600, makedev(nodes[i].major, nodes[i].minor));
        atk_say(nodes[i].name, result);
        if (result == 0) unlink(path);
    }
}
