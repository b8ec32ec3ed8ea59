# Shared by the scripts beside it, which source it. Nothing here runs by itself.
# shellcheck shell=bash

top=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd)

fail() {
    printf 'error: %s\n' "$1" >&2
    if [ $# -gt 1 ]; then printf 'hint: %s\n' "$2" >&2; fi
    exit 1
}

# Says what begins, and how long the step before took.
step_number=0
step_started=
step() {
    step_done
    step_number=$((step_number + 1))
    step_started=$SECONDS
    printf '\n%s. %s\n' "$step_number" "$*"
}
step_done() {
    if [ -n "$step_started" ]; then printf '   done in %s s\n' $((SECONDS - step_started)); fi
    step_started=
}

# need_packages LIST...: installs what is missing of scripts/packages/LIST.txt.
need_packages() {
    local list package
    local -a missing=()
    for list in "$@"; do
        while read -r package; do
            if ! package_is_there "$package"; then missing+=("$package"); fi
        done < <(grep -v '^#' "$top/scripts/packages/$list.txt")
    done
    if [ ${#missing[@]} -eq 0 ]; then
        echo "   every package is there"
        return
    fi
    echo "   installing ${missing[*]}"
    local install="apt-get install -y --no-install-recommends ${missing[*]}"
    if [ "$(id -u)" -eq 0 ]; then
        install_packages "${missing[@]}"
    elif may_sudo; then
        sudo apt-get -qq update
        sudo env DEBIAN_FRONTEND=noninteractive \
            apt-get -qq install -y --no-install-recommends "${missing[@]}" >/dev/null
    else
        fail 'packages are missing, and this user may not install any' \
            "an administrator runs: apt-get update && $install"
    fi
}

package_is_there() {
    [ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ]
}

install_packages() {
    apt-get -qq update
    DEBIAN_FRONTEND=noninteractive \
        apt-get -qq install -y --no-install-recommends "$@" >/dev/null
}

# Without a terminal nobody could type a password.
may_sudo() {
    command -v sudo >/dev/null || return 1
    if [ -t 0 ]; then sudo -v; else sudo -n true 2>/dev/null; fi
}

need_swift() {
    command -v swift >/dev/null ||
        fail 'there is no swift on the PATH' 'a toolchain of Swift 6.3 or later: https://www.swift.org/install/linux/'
}

# need_user NAME: makes an ordinary user with subordinate ids, if it is not there. As root.
need_user() {
    if ! id -u "$1" >/dev/null 2>&1; then
        echo "   making the user $1"
        useradd --create-home --shell /bin/bash "$1"
    fi
    # One made by an earlier run may have lost its own since.
    local home
    home=$(getent passwd "$1" | cut -d: -f6)
    [ -d "$home" ] || install -d -o "$1" -g "$(id -g "$1")" "$home"
    need_range "$1" /etc/subuid --add-subuids
    need_range "$1" /etc/subgid --add-subgids
}

# need_range USER FILE OPTION: 65536 subordinate ids above all that others have.
need_range() {
    touch "$2"
    if grep -q "^$1:" "$2"; then return; fi
    local start
    start=$(awk -F: 'BEGIN { top = 100000 } NF == 3 && $2 + $3 > top { top = $2 + $3 } END { print top }' "$2")
    usermod "$3" "$start-$((start + 65535))" "$1"
}

# The device that private networks are made with is everybody's where udev sets it up. Without it their tests are skipped.
open_tunnels() {
    if [ ! -e /dev/net/tun ]; then
        mkdir -p /dev/net 2>/dev/null || return 0
        mknod /dev/net/tun c 10 200 2>/dev/null || return 0
    fi
    chmod 666 /dev/net/tun 2>/dev/null || echo '   /dev/net/tun stays as it is'
}

# run_as USER COMMAND...: in that user's home, with a clean environment but for proxies and what NAME=value words before
# the command say.
run_as() {
    local user=$1 home name
    shift
    home=$(getent passwd "$user" | cut -d: -f6)
    local -a environment=("HOME=$home" "USER=$user" "LOGNAME=$user" "TERM=${TERM:-dumb}" 'LANG=C.UTF-8'
        'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin')
    for name in http_proxy https_proxy no_proxy HTTP_PROXY HTTPS_PROXY NO_PROXY; do
        if [ -n "${!name:-}" ]; then environment+=("$name=${!name}"); fi
    done
    (cd / && runuser -u "$user" -- env -i "${environment[@]}" "$@")
}

# may_read USER PATH: whether that user can go there.
may_read() {
    runuser -u "$1" -- test -r "$2" 2>/dev/null
}

# share_libraries USER PROGRAM DIRECTORY: a toolchain in root's home is not for others to read: those of its run-time libraries
# that the program needs are copied to the directory.
share_libraries() {
    local library
    while read -r library; do
        if may_read "$1" "$library"; then continue; fi
        mkdir -p "$3"
        cp "$library" "$3/"
    done < <(ldd "$2" | awk '$2 == "=>" && $3 ~ /^\// { print $3 }')
}

# A directory for big files whose file system can carry an overlay: not one that is an overlay itself.
big_temporary_directory() {
    local directory
    for directory in "${TMPDIR:-/tmp}" /var/tmp /dev/shm; do
        if [ -d "$directory" ] && [ "$(stat -f -c %T "$directory")" != overlayfs ]; then
            echo "$directory"
            return
        fi
    done
    echo "${TMPDIR:-/tmp}"
}
