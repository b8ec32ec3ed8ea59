#!/bin/sh
# What scripts/cgroup-vm runs as process 1 of its machine: builds of an ordinary user in cgroups that belong to it.
export PATH=/bin
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs dev /dev
mount -t cgroup2 -o nsdelegate cgroup2 /sys/fs/cgroup
ip link set lo up
cgroups=/sys/fs/cgroup
echo "# $(uname -r)"

# As systemd delegates: the directory and three of its files.
delegate() {
    mkdir "$1"
    chown 1000:1000 "$1" "$1/cgroup.procs" "$1/cgroup.subtree_control" "$1/cgroup.threads"
}
echo '+memory +pids +cpu' > $cgroups/cgroup.subtree_control
delegate $cgroups/user
mkdir $cgroups/user/session
chown -R 1000:1000 $cgroups/user/session
delegate $cgroups/alone

# build NAME DOCKERFILE-LINE OPTIONS…: in a session's cgroup with a shell beside it. Its words go to /home/out.
build() {
    folder=/home/$1
    line=$2
    shift 2
    mkdir -p $folder
    cp /context/busybox $folder/
    printf 'FROM scratch\nCOPY busybox /bin/sh\nCOPY busybox /bin/dd\nCOPY busybox /bin/sleep\nCOPY busybox /bin/cat\nCOPY busybox /bin/timeout\nRUN %s\n' "$line" > $folder/Dockerfile
    chown -R 1000:1000 $folder
    cat > /home/go <<END
echo \$\$ > $cgroups/$place/cgroup.procs
$before su -s /bin/sh user -c 'exec env HOME=/home LICHEN_ROOT=/home/store lichen build --progress plain --no-cache $* $folder'
END
    sh /home/go > /home/out 2>&1
    status=$?
    sed 's/^/    /' /home/out
}
is() { # is WHAT COMMAND…
    what=$1
    shift
    if "$@"; then echo "ok $what"; else echo "not ok $what"; fi
}
says() { grep -q "$1" /home/out; }
left() { ls $cgroups/$place $cgroups/user | grep lichen- | grep -v builder; }
nothing_left() { [ -z "$(left)" ]; }

place=user/session
before=

build plain 'cat /proc/self/cgroup' --pids 500
is 'a build in a session is whole' [ $status = 0 ]
is 'it says that cgroups hold its limits' says 'limits of a RUN hold by cgroup v2'
is 'a RUN sees its cgroup as the root' says ' 0::/$'
is 'its cgroups are gone' nothing_left

build memory 'x=aaaaaaaaaaaaaaaa; while :; do x=$x$x; done' --memory 64m
is 'a memory bomb is ended' [ $status = 1 ]
is 'by its name' says 'ended at its memory limit of 64 MiB (--memory)'
is 'its cgroup is gone' nothing_left

build parts 'piece() { x=aaaaaaaaaaaaaaaa; while [ ${#x} -lt 4194304 ]; do x=$x$x; done; sleep 60; }; for i in 1 2 3 4 5 6 7 8 9 10 11 12; do piece & done; wait' --memory 48m
is 'many small processes are ended' [ $status = 1 ]
is 'all of them' says 'memory limit of 48 MiB'

build pids 'i=0; while [ $i -lt 100 ]; do sleep 60 & i=$((i+1)); done' --pids 40
is 'too many processes are refused' [ $status = 1 ]
is 'and it is said' says 'after it reached its limit of 40 processes'

build cpu 'timeout 4 sh -c "trap : TERM; while :; do :; done" ; times' --cpus 0.25
is 'a share of a processor is taken' says 'limits of a RUN hold by cgroup v2'
# The second line of times: what the children took.
taken=$(grep -o '[0-9]*m[0-9.]*s [0-9]*m[0-9.]*s' /home/out | tail -n 1)
echo "# children took $taken in 4 s"
is 'and held' [ "$(echo "$taken" | sed 's/^0m\([0-9]*\).*/\1/')" -le 1 ]

build daemon '(sh -c "while :; do sleep 1; done" &); sleep 0.2' --pids 100
is 'a daemon that was left behind is gone' nothing_left

# The slowest of them, for it takes most of the machine.
build default 'x=aaaaaaaaaaaaaaaa; while :; do x=$x$x; done'
is 'a memory bomb is ended without a flag' [ $status = 1 ]
is 'and the machine lives' says 'ended at its memory limit'

# A cgroup of its own, above which nothing is writable: the builder moves one down.
place=alone
before=exec
build alone 'true' --memory 100m --cpus 1
is 'a cgroup of its own is enough' says 'limits of a RUN hold by cgroup v2'
is 'a build in it is whole' [ $status = 0 ]
is 'nothing is left but its own place' nothing_left

# Nothing delegated.
echo $$ > $cgroups/cgroup.procs
mkdir $cgroups/foreign
place=foreign
build foreign 'true' --cpus 1
is 'without delegation --cpus is refused' [ $status = 71 ]
is 'and why is said' says 'is delegated to this user'
build rlimits 'x=aaaaaaaaaaaaaaaa; while :; do x=$x$x; done' --memory 64m
is 'memory is held by looking at it' says 'ended at its memory limit of 64 MiB (--memory): it held'

echo done
sync
poweroff -f
