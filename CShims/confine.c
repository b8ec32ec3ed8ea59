#include "sbx_confine.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/landlock.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/resource.h>
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

/* This process's own part of /proc, for the root: attributes of links are reached by way of /proc/self/fd. A fresh /proc is
 * not to be had in a container whose own is partly covered, and would hold more than that. */
static int own_proc(void) {
    int own = open("/proc/self", O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (own < 0) return -errno;
    int copy = sbx_clone_mount(own, "", 0);
    close(own);
    return copy;
}

/* An empty root, with nothing but that. */
static int enter_empty_root(void) {
    static const char *const options[] = {"mode", "0555", "size", "4096", "nr_inodes", "4", NULL};
    const uint32_t flags = SBX_MOUNT_ATTR_NOSUID | SBX_MOUNT_ATTR_NODEV | SBX_MOUNT_ATTR_NOEXEC;
    int root = new_mount("tmpfs", options, flags);
    if (root < 0) return root;
    int proc = own_proc();
    if (proc < 0) return proc;
    if (mkdirat(root, "proc", 0555) < 0 || mkdirat(root, "proc/self", 0555) < 0) return -errno;
    /* Any directory that is surely there will do: it is covered in this mount namespace alone. */
    int place = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (place < 0) return -errno;
    int result = sbx_move_mount(root, place);
    close(place);
    if (result < 0) return result;
    int inner = openat(root, "proc/self", O_PATH | O_DIRECTORY | O_CLOEXEC);
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

static uint64_t all_file_rights(int abi) {
    return (1ull << (abi >= 5 ? 16 : abi >= 3 ? 15 : abi >= 2 ? 14 : 13)) - 1;
}

/* Rights by Landlock ABI; a kernel without Landlock has the empty root, the capabilities and the filter. Without ABI 2 no
 * file could change its directory, and there is none. */
static int restrict_files(const struct sbx_confinement *c) {
    int abi = (int)syscall(SYS_landlock_create_ruleset, NULL, 0ul, 1u /* LANDLOCK_CREATE_RULESET_VERSION */);
    if (abi < 2) return 0;
    uint64_t all = all_file_rights(abi);
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

static int install(const void *filter, uint16_t count) {
    struct sock_fprog program = {.len = count, .filter = (struct sock_filter *)(uintptr_t)filter};
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
    return install(confinement->filter, confinement->filter_count);
}

/* No file can be opened, made or changed, no port be bound or reached, nobody outside be signalled: a domain without rules. */
static int restrict_all(void) {
    int abi = (int)syscall(SYS_landlock_create_ruleset, NULL, 0ul, 1u /* LANDLOCK_CREATE_RULESET_VERSION */);
    if (abi < 1) return 0;
    struct {
        uint64_t files, network, scopes;
    } attr = {.files = all_file_rights(abi), .network = abi >= 4 ? 3 : 0, .scopes = abi >= 6 ? 3 : 0};
    size_t size = abi >= 6 ? sizeof attr : abi >= 4 ? 2 * sizeof attr.files : sizeof attr.files;
    int ruleset = (int)syscall(SYS_landlock_create_ruleset, &attr, size, 0u);
    if (ruleset < 0) return -errno;
    int result = syscall(SYS_landlock_restrict_self, ruleset, 0u) < 0 ? -errno : 0;
    close(ruleset);
    return result;
}

/* Pipes are no files: they can still be written to. */
static int limit_resources(void) {
    static const struct {
        int resource;
        struct rlimit64 limit;
    } limits[] = {{RLIMIT_FSIZE, {0, 0}}, {RLIMIT_CORE, {0, 0}}, {RLIMIT_MEMLOCK, {0, 0}}, {RLIMIT_MSGQUEUE, {0, 0}}};
    for (size_t i = 0; i < sizeof limits / sizeof limits[0]; i++)
        if (syscall(SYS_prlimit64, 0, limits[i].resource, &limits[i].limit, NULL) < 0) return -errno;
    return 0;
}

/* Without an execve to come, and there is none, the bounding set doesn't matter; most users could not change it. */
static int drop_capabilities(void) {
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct none[2] = {{0}, {0}};
    return syscall(SYS_capset, &header, none) < 0 ? -errno : 0;
}

int sbx_confine_to_descriptors(const void *filter, uint16_t filter_count, const char **step) {
    int result;
    *step = "set no_new_privs";
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0) return -errno;
    *step = "set resource limits";
    if ((result = limit_resources()) < 0) return result;
    *step = "enter a Landlock domain";
    if ((result = restrict_all()) < 0) return result;
    *step = "drop capabilities";
    if ((result = drop_capabilities()) < 0) return result;
    *step = "install the seccomp filter";
    return install(filter, filter_count);
}
