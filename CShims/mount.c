#include "sbx_mount.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/mount.h>
#include <sys/syscall.h>
#include <unistd.h>

/* <sys/mount.h> and <linux/mount.h> of Debian 12 can't be included together, so umount2 is declared here. */
int umount2(const char *target, int flags);
int mount(const char *source, const char *target, const char *type, unsigned long flags, const void *data);
enum { DETACH = 2 };

static int result(long value) { return value < 0 ? -errno : (int)value; }

int sbx_fsopen(const char *type) { return result(syscall(SYS_fsopen, type, FSOPEN_CLOEXEC)); }

int sbx_fsconfig_string(int fs, const char *key, const char *value) {
    return result(syscall(SYS_fsconfig, fs, FSCONFIG_SET_STRING, key, value, 0));
}
int sbx_fsconfig_flag(int fs, const char *key) {
    return result(syscall(SYS_fsconfig, fs, FSCONFIG_SET_FLAG, key, (void *)0, 0));
}
int sbx_fsconfig_fd(int fs, const char *key, int value) {
    return result(syscall(SYS_fsconfig, fs, FSCONFIG_SET_FD, key, (void *)0, value));
}
int sbx_fsconfig_create(int fs) {
    return result(syscall(SYS_fsconfig, fs, FSCONFIG_CMD_CREATE, (void *)0, (void *)0, 0));
}
int sbx_fsmount(int fs, uint32_t attributes) {
    return result(syscall(SYS_fsmount, fs, FSMOUNT_CLOEXEC, attributes));
}

int sbx_fs_message(int fs, char *buffer, int size) {
    ssize_t count = read(fs, buffer, (size_t)size - 1);
    if (count <= 0) return 0;
    buffer[count] = 0;
    return 1;
}

int sbx_clone_mount(int dir, const char *path, int recursive) {
    unsigned int flags = OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW;
    if (recursive) flags |= 0x8000; /* AT_RECURSIVE */
    return result(syscall(SYS_open_tree, dir, path, flags));
}

int sbx_set_mount_attributes(int mount, uint32_t attributes, int recursive) {
    struct mount_attr attr = {.attr_set = attributes};
    unsigned int flags = AT_EMPTY_PATH | (recursive ? 0x8000u : 0u);
    return result(syscall(SYS_mount_setattr, mount, "", flags, &attr, sizeof attr));
}

int sbx_move_mount(int mount, int target) {
    return result(syscall(SYS_move_mount, mount, "", target, "", MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH));
}

int sbx_unmount_detach(const char *path) { return result(umount2(path, DETACH)); }

int sbx_mount_overlay(const char *path, const char *options, uint32_t attributes) {
    unsigned long flags = 0;
    if (attributes & SBX_MOUNT_ATTR_RDONLY) flags |= MS_RDONLY;
    if (attributes & SBX_MOUNT_ATTR_NOSUID) flags |= MS_NOSUID;
    if (attributes & SBX_MOUNT_ATTR_NODEV) flags |= MS_NODEV;
    return result(mount("overlay", path, "overlay", flags, options));
}
