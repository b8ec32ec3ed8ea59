/* Mounts by descriptor (fsopen(2) and friends, Linux 5.2 to 5.12). Results as in sbx_fs.h: 0 or a descriptor, else -errno. */
#pragma once
#include <stdint.h>

enum {
    SBX_MOUNT_ATTR_RDONLY = 0x01,
    SBX_MOUNT_ATTR_NOSUID = 0x02,
    SBX_MOUNT_ATTR_NODEV = 0x04,
    SBX_MOUNT_ATTR_NOEXEC = 0x08,
};

int sbx_fsopen(const char *type);
int sbx_fsconfig_string(int fs, const char *key, const char *value);
int sbx_fsconfig_flag(int fs, const char *key);
int sbx_fsconfig_fd(int fs, const char *key, int value);
int sbx_fsconfig_create(int fs);
int sbx_fsmount(int fs, uint32_t attributes);

/* The kernel's own words about the last failure of `fs`, NUL-terminated; 0 if it said nothing. */
int sbx_fs_message(int fs, char *buffer, int size);

/* A detached copy of the mount at `path` below `dir` (empty path: `dir` itself). */
int sbx_clone_mount(int dir, const char *path, int recursive);
int sbx_set_mount_attributes(int mount, uint32_t attributes, int recursive);
int sbx_move_mount(int mount, int target);
int sbx_unmount_detach(const char *path);

/* The old way: mount(2) of an overlay with all options in one string, at `path`. */
int sbx_mount_overlay(const char *path, const char *options, uint32_t attributes);
