/* What the attacks are aimed at, made outside of the sandbox; and the files that a program is loaded from. */
#include "answers.h"

#include <elf.h>
#include <fcntl.h>
#include <link.h>
#include <linux/keyctl.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

int atk_make_socket(const char *name) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (strlen(name) > sizeof address.sun_path - 2) return -ENAMETOOLONG;
    strcpy(address.sun_path + 1, name);
    socklen_t length = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + strlen(name));
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0) return -errno;
    if (bind(fd, (struct sockaddr *)&address, length) == 0 && listen(fd, 4) == 0) return fd;
    int error = errno;
    close(fd);
    return -error;
}

/* Not fork(): nothing of the parent's library may run in it. It calls only what is safe there. The write end of its pipe
 * stays open in us until we end, and it sees that. */
int atk_make_process(void) {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) < 0) return -errno;
    long pid = syscall(SYS_clone, (unsigned long)SIGCHLD, 0ul, 0ul, 0ul, 0ul);
    int error = errno;
    if (pid == 0) {
        char byte;
        close(ends[1]);
        while (read(ends[0], &byte, 1) < 0 && errno == EINTR) continue;
        _exit(0);
    }
    close(ends[0]);
    if (pid > 0) return (int)pid;
    close(ends[1]);
    return -error;
}

int atk_is_well(int pid) {
    int status;
    return waitpid(pid, &status, WNOHANG | WUNTRACED) == 0;
}

void atk_end_process(int pid) {
    if (pid < 2) return;
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
}

int atk_make_memory(void) {
    int id = shmget(IPC_PRIVATE, 4096, IPC_CREAT | 0666);
    return id < 0 ? -errno : id;
}

void atk_remove_memory(int id) { shmctl(id, IPC_RMID, NULL); }

int atk_make_key(const char *name) {
    long id = syscall(SYS_add_key, "user", name, name, strlen(name), KEY_SPEC_SESSION_KEYRING);
    return id < 0 ? -errno : (int)id;
}

void atk_remove_key(int id) { syscall(SYS_keyctl, KEYCTL_INVALIDATE, id); }

struct search {
    void (*found)(const char *path, int is_loader, void *context);
    void *context;
};

/* The program comes first, without a name; the kernel's own page has a name without a directory. */
static int visit(struct dl_phdr_info *info, size_t size, void *data) {
    (void)size;
    const struct search *search = data;
    if (info->dlpi_name[0] == '/') search->found(info->dlpi_name, 0, search->context);
    if (info->dlpi_name[0]) return 0;
    for (int i = 0; i < info->dlpi_phnum; i++)
        if (info->dlpi_phdr[i].p_type == PT_INTERP)
            search->found((const char *)(info->dlpi_addr + info->dlpi_phdr[i].p_vaddr), 1, search->context);
    return 0;
}

void atk_libraries(void (*found)(const char *path, int is_loader, void *context), void *context) {
    struct search search = {found, context};
    dl_iterate_phdr(visit, &search);
}
