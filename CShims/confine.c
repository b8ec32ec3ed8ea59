#include "sbx_confine.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/landlock.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "sbx_mount.h"

/* A new file system; its root's descriptor or -errno. */
static int new_mount(const char *type, const char *const *options, uint32_t attributes) {
    int fs = sbx_fsopen(type);
    if (fs < 0) return fs;
    int result = 0;
    for (; result >= 0 && options && options[0]; options += 2) result = sbx_fsconfig_string(fs, options[0], options[1]);
    if (result >= 0) result = sbx_fsconfig_create(fs);
    if (result >= 0) result = sbx_fsmount(fs, attributes);
    close(fs);
    return result;
}

/* An empty root with a fresh /proc: attributes of links are reached by way of /proc/self/fd. */
static int enter_empty_root(void) {
    static const char *const options[] = {"mode", "0555", "size", "4096", "nr_inodes", "4", NULL};
    const uint32_t flags = SBX_MOUNT_ATTR_NOSUID | SBX_MOUNT_ATTR_NODEV | SBX_MOUNT_ATTR_NOEXEC;
    int root = new_mount("tmpfs", options, flags);
    if (root < 0) return root;
    int proc = new_mount("proc", NULL, flags);
    if (proc < 0) return proc;
    if (mkdirat(root, "proc", 0555) < 0) return -errno;
    /* Any directory that is surely there will do: it is covered in this mount namespace alone. */
    int place = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (place < 0) return -errno;
    int result = sbx_move_mount(root, place);
    close(place);
    if (result < 0) return result;
    int inner = openat(root, "proc", O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (inner < 0) return -errno;
    result = sbx_move_mount(proc, inner);
    close(inner);
    close(proc);
    if (result < 0) return result;
    if (fchdir(root) < 0 || syscall(SYS_pivot_root, ".", ".") < 0) return -errno;
    /* The old root now lies on top of the new one, at the same place. */
    if ((result = sbx_unmount_detach(".")) < 0) return result;
    if (chdir("/") < 0) return -errno;
    result = sbx_set_mount_attributes(root, flags | SBX_MOUNT_ATTR_RDONLY, 0);
    close(root);
    return result;
}

static int allow_below(int ruleset, int directory, uint64_t rights) {
    struct landlock_path_beneath_attr rule = {.allowed_access = rights, .parent_fd = directory};
    return (int)syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0u);
}

/* Rights by Landlock ABI; a kernel without Landlock has the empty root, the capabilities and the filter. Without ABI 2 no
 * file could change its directory, and there is none. */
static int restrict_files(const struct sbx_confinement *c) {
    int abi = (int)syscall(SYS_landlock_create_ruleset, NULL, 0ul, 1u /* LANDLOCK_CREATE_RULESET_VERSION */);
    if (abi < 2) return 0;
    uint64_t all = (1ull << (abi >= 5 ? 16 : abi >= 3 ? 15 : 14)) - 1;
    const uint64_t execute = 1, read = 1 << 2 | 1 << 3; /* READ_FILE, READ_DIR */
    struct {
        uint64_t files, network, scopes;
    } attr = {.files = all, .scopes = abi >= 6 ? 3 : 0};
    int ruleset = (int)syscall(SYS_landlock_create_ruleset, &attr, abi >= 6 ? sizeof attr : sizeof attr.files, 0u);
    if (ruleset < 0) return -errno;
    int proc = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);
    int result = 0;
    if (proc < 0 || allow_below(ruleset, proc, read) < 0 || allow_below(ruleset, c->readable, read) < 0 ||
        allow_below(ruleset, c->writable, all & ~execute) < 0 || syscall(SYS_landlock_restrict_self, ruleset, 0u) < 0)
        result = -errno;
    if (proc >= 0) close(proc);
    close(ruleset);
    return result;
}

static int keep_capabilities(uint64_t kept) {
    for (int capability = 0; capability < 64; capability++) {
        if (kept >> capability & 1) continue;
        if (prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) < 0) {
            if (errno == EINVAL) break; /* past the last one that this kernel knows */
            return -errno;
        }
    }
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct data[2] = {{.effective = (uint32_t)kept, .permitted = (uint32_t)kept},
                                             {.effective = (uint32_t)(kept >> 32), .permitted = (uint32_t)(kept >> 32)}};
    return syscall(SYS_capset, &header, data) < 0 ? -errno : 0;
}

static int install(const struct sbx_confinement *c) {
    struct sock_fprog program = {.len = c->filter_count, .filter = (struct sock_filter *)(uintptr_t)c->filter};
    return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_SPEC_ALLOW, &program) < 0 ? -errno : 0;
}

int sbx_confine(const struct sbx_confinement *confinement, const char **step) {
    int result;
    *step = "set no_new_privs";
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0) return -errno;
    *step = "enter an empty root";
    if ((result = enter_empty_root()) < 0) return result;
    *step = "enter a Landlock domain";
    if ((result = restrict_files(confinement)) < 0) return result;
    *step = "drop capabilities";
    if ((result = keep_capabilities(confinement->capabilities)) < 0) return result;
    *step = "install the seccomp filter";
    return install(confinement);
}
