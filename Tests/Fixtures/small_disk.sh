#!/bin/bash
# Runs a command as an ordinary user whose store is on a small file system, without any privilege of the host.
#
#     small_disk.sh DIRECTORY KILOBYTES COMMAND ARGUMENT…      (inside, DIRECTORY/disk is a tmpfs of that size)
#
# The trick: in a user and mount namespace with the caller's subordinate ids a tmpfs can be mounted, and newuidmap can be set-user-id
# of that namespace's root once it is a copy that belongs to it. So the command is what it is on a host: uid 1000, no capability,
# ranges in /etc/subuid, helpers that are set-user-id. `grow` as the first word of COMMAND is not there: the command itself says
# `touch DIRECTORY/grow` and waits until the file is gone; then there is room.
set -eu
if [ "${LICHEN_SMALL_DISK:-}" != inside ]; then
    export LICHEN_SMALL_DISK=inside
    exec unshare --map-root-user --map-auto --mount -- "$0" "$@"
fi
directory=$1 size=$2
shift 2
umask 022
mkdir -p "$directory/disk" "$directory/bin"
printf '1000:2000:60000\n' > "$directory/ids"
for name in newuidmap newgidmap; do
    cp "/usr/bin/$name" "$directory/bin/$name"
    chmod 4755 "$directory/bin/$name"
    mount --bind "$directory/bin/$name" "/usr/bin/$name"
done
mount --bind "$directory/ids" /etc/subuid
mount --bind "$directory/ids" /etc/subgid
mount -t tmpfs -o "size=${size}k,mode=777" tmpfs "$directory/disk"
# Room is made when the command asks for it; it has no right to do that itself.
( while sleep 0.02; do
      if [ -e "$directory/disk/grow" ]; then
          mount --options-mode ignore -o remount,size=256m "$directory/disk"
          rm -f "$directory/disk/grow"
          break
      fi
  done ) &
grower=$!
status=0
setpriv --reuid 1000 --regid 1000 --clear-groups -- "$@" || status=$?
kill "$grower" 2>/dev/null || true
exit "$status"
