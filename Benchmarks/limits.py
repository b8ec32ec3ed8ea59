"""The physical limit of a workload in each mode: the work that no builder can leave out, done with nothing around it."""

import os
import resource
import subprocess
import time

import services

# The fastest that makes a gzip layer, and Lichen's default.
LEVEL = "1"


class Clock:
    """Wall seconds, and CPU seconds of what was run, since it was made; several can be added."""

    def __init__(self):
        self.wall, self.cpu = time.monotonic(), self.children()

    @staticmethod
    def children():
        usage = resource.getrusage(resource.RUSAGE_CHILDREN)
        return usage.ru_utime + usage.ru_stime

    def read(self):
        return {"wall": time.monotonic() - self.wall, "cpu": self.children() - self.cpu}


def timed(argv, environment=None):
    clock = Clock()
    subprocess.run(argv, check=True, stdout=subprocess.DEVNULL, env=environment)
    return clock.read()


def added(*figures):
    return {name: sum(figure[name] for figure in figures) for name in ("wall", "cpu")}


NOTHING = {"wall": 0, "cpu": 0}


class Limits:
    def __init__(self, program, directory, registry, trash):
        self.program, self.registry, self.trash = program, registry, trash
        self.directory = os.path.join(directory, "limit")
        self.root = os.path.join(self.directory, "root")

    def measure(self, workload, base_layer, repository, context):
        """Wall and CPU seconds for each mode, once."""
        os.makedirs(self.root)
        try:
            base = timed([self.program, "unpack", base_layer, self.root])
            request = self.request(repository)
            look = timed([self.program, "stat", context])
            warm = added(request, look, self.run(workload), self.pack(workload, context))
        finally:
            self.trash.take(self.directory)
        result = {"cold": added(base, warm), "cached": added(request, look), "changed": warm, "warm": warm}
        return {mode: result[mode] for mode in workload.modes}

    def pack(self, workload, context):
        directories = [os.path.join(self.root, name) for name in workload.changed]
        if workload.files:
            directories.append(os.path.join(context, "tree"))
        if not directories:
            return NOTHING
        return timed([self.program, "pack", os.path.join(self.directory, "layer"), LEVEL, *directories])

    def run(self, workload):
        """The scripts on a bare directory, stages beside each other."""
        if workload.needs_container:
            return NOTHING
        script = "\n".join("(" + "; ".join(f"sh -c {quote(run)}" for run in stage) + ") &" for stage in workload.stages)
        return timed(["sh", "-c", script + "\nwait"], dict(os.environ, ROOT=self.root))

    def request(self, repository):
        """One manifest request."""
        clock = Clock()
        self.registry.request("HEAD", f"/v2/{repository}/manifests/1", headers={"Accept": services.MANIFEST})
        return clock.read()


def quote(text):
    return "'" + text.replace("'", "'\\''") + "'"
