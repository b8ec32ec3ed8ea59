"""Runs a command and measures it: wall, CPU, and the memory of its own processes."""

import ctypes
import dataclasses
import os
import statistics
import subprocess
import threading
import time

SAMPLES_PER_SECOND = 20


@dataclasses.dataclass
class Measurement:
    wall: float
    # User and system time of all its processes, a RUN's as well.
    cpu: float
    # The most that the sum of PSS of the program's processes came to, in bytes; 0 where it ended before the first sample.
    memory: int


class Failure(Exception):
    """A command that failed, and the end of what it said."""


def adopt_orphans():
    """Makes what a command leaves behind our child when its parent is gone, so that its time is counted, too."""
    set_child_subreaper = 36
    ctypes.CDLL(None, use_errno=True).prctl(set_child_subreaper, 1, 0, 0, 0)


def reap(known):
    """Waits for every child but `known`; the CPU time that they took."""
    cpu, deadline = 0, time.monotonic() + 5
    while set(children(os.getpid())) - known and time.monotonic() < deadline:
        for pid in set(children(os.getpid())) - known:
            ended, _, usage = os.wait4(pid, os.WNOHANG)
            if ended:
                cpu += usage.ru_utime + usage.ru_stime
        time.sleep(0.002)
    return cpu


def run(argv, program, log, environment=None):
    """Runs `argv` to its end. Memory is that of the processes whose executable is called `program`."""
    with open(log, "ab") as output:
        output.write(("$ " + " ".join(argv) + "\n").encode())
        output.flush()
        known = set(children(os.getpid()))
        before = time.monotonic()
        child = subprocess.Popen(argv, env=environment, stdin=subprocess.DEVNULL, stdout=output, stderr=output,
                                 close_fds=False)
        sampler = Sampler(child.pid, program)
        _, status, usage = os.wait4(child.pid, 0)
        wall = time.monotonic() - before
        memory = sampler.stop()
        cpu = usage.ru_utime + usage.ru_stime + reap(known)
        child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode != 0:
        with open(log, "rb") as said:
            end = said.read()[-3000:].decode(errors="replace")
        raise Failure(f"{' '.join(argv)}: status {child.returncode}\n{end}")
    return Measurement(wall, cpu, memory)


class Sampler:
    """Reads the memory of a tree of processes at an even rate."""

    def __init__(self, root, program):
        self.root, self.program, self.peak = root, program, 0
        self.ended = threading.Event()
        self.thread = threading.Thread(target=self.sample)
        self.thread.start()

    def sample(self):
        while not self.ended.wait(1 / SAMPLES_PER_SECOND):
            self.peak = max(self.peak, sum(map(self.memory, processes(self.root))))

    def memory(self, pid):
        # A process may end at any moment, and others than the program's own don't count.
        try:
            if os.path.basename(os.readlink(f"/proc/{pid}/exe")) != self.program:
                return 0
            with open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as rollup:
                for line in rollup:
                    if line.startswith("Pss:"):
                        return int(line.split()[1]) * 1024
        except OSError:
            pass
        return 0

    def stop(self):
        self.ended.set()
        self.thread.join()
        return self.peak


def processes(root):
    """A process and all below it."""
    found, waiting = [], [root]
    while waiting:
        pid = waiting.pop()
        found.append(pid)
        waiting += children(pid)
    return found


def children(pid):
    found = []
    try:
        for task in os.listdir(f"/proc/{pid}/task"):
            with open(f"/proc/{pid}/task/{task}/children", encoding="ascii") as list_of_children:
                found += map(int, list_of_children.read().split())
    except OSError:
        pass
    return found


def starts(argv, count, environment=None):
    """Minimum and median wall seconds of a command that takes so little that making a process in Python would show."""
    null = os.open(os.devnull, os.O_RDWR)
    actions = [(os.POSIX_SPAWN_DUP2, null, descriptor) for descriptor in (0, 1, 2)]
    times = []
    for _ in range(count):
        before = time.monotonic()
        pid = os.posix_spawn(argv[0], argv, environment or os.environ, file_actions=actions)
        _, status = os.waitpid(pid, 0)
        times.append(time.monotonic() - before)
        if status != 0:
            raise Failure(f"{' '.join(argv)}: status {os.waitstatus_to_exitcode(status)}")
    os.close(null)
    return min(times), statistics.median(times)
