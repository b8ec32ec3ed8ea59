/* What a step could reach of the host: things that were made there to be aimed at, see targets.c. */
#include "answers.h"

#include <fcntl.h>
#include <linux/keyctl.h>
#include <signal.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <unistd.h>

static void open_by(const char *name, const char *before, const char *path) {
    char whole[8192];
    snprintf(whole, sizeof whole, "%s%s", before, path);
    atk_say(name, open(whole, O_RDONLY | O_CLOEXEC));
}

/* Out of a root by a directory that was opened before: chroot(2). */
static long by_root(const void *path) {
    int outside = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (outside < 0 || chroot("/tmp") < 0 || fchdir(outside) < 0) return -1;
    for (int i = 0; i < 64; i++)
        if (chdir("..") < 0) return -1;
    if (chroot(".") < 0) return -1;
    return open(path, O_RDONLY | O_CLOEXEC);
}

void atk_host_file(const char *path) {
    open_by("plain", "", path);
    open_by("above", "../../../../../../../../../../../../../../../..", path);
    open_by("init-root", "/proc/1/root", path);
    open_by("init-directory", "/proc/1/cwd", path);
    open_by("own-root", "/proc/self/root/../../..", path);
    open_by("output", "/proc/self/fd/1/../../..", path);
    atk_apart("chroot", by_root, path);
}

void atk_host_process(int pid) {
    char path[64], buffer[8];
    atk_say("signal", kill(pid, SIGUSR1));
    atk_say("handle", syscall(SYS_pidfd_open, pid, 0));
    atk_say("trace", ptrace(PTRACE_SEIZE, pid, NULL, NULL));
    struct iovec local = {buffer, sizeof buffer}, remote = {(void *)atk_host_process, sizeof buffer};
    atk_say("read-memory", process_vm_readv(pid, &local, 1, &remote, 1, 0));
    atk_say("read-memory-init", process_vm_readv(1, &local, 1, &remote, 1, 0));
    static const char *const files[] = {"mem", "environ", "root", "fd"};
    for (size_t i = 0; i < COUNT(files); i++) {
        snprintf(path, sizeof path, "/proc/%d/%s", pid, files[i]);
        atk_say(files[i], open(path, O_RDONLY | O_CLOEXEC));
    }
}

void atk_host_socket(const char *name) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    strncpy(address.sun_path + 1, name, sizeof address.sun_path - 2);
    socklen_t length = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + strlen(name));
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    atk_say("connect", connect(fd, (struct sockaddr *)&address, length));
}

void atk_host_memory(int id) {
    void *memory = shmat(id, NULL, SHM_RDONLY);
    atk_say("attach", memory == (void *)-1 ? -1 : 0);
    struct shmid_ds status;
    atk_say("look", shmctl(id, IPC_STAT, &status));
}

/* A key by its name in the session's keyring; and the keyring itself, which a step must not share. */
void atk_host_key(const char *name) {
    atk_say("search", syscall(SYS_keyctl, KEYCTL_SEARCH, KEY_SPEC_SESSION_KEYRING, "user", name, 0));
    atk_say("request", syscall(SYS_request_key, "user", name, NULL, KEY_SPEC_PROCESS_KEYRING));
    char line[1024];
    FILE *keys = fopen("/proc/keys", "r");
    int found = 0;
    while (keys && fgets(line, sizeof line, keys)) found |= strstr(line, name) != NULL;
    if (keys) fclose(keys);
    fprintf(atk_answers, "list %s\n", found ? "ok" : "hidden");
}
