"""The physical limit of a workload in each mode: the work that no builder can leave out, done with nothing around it."""

import os
import subprocess
import time

import services

# The fastest that makes a gzip layer, and Lichen's default.
LEVEL = "1"


def timed(argv):
    before = time.monotonic()
    subprocess.run(argv, check=True, stdout=subprocess.DEVNULL)
    return time.monotonic() - before


class Limits:
    def __init__(self, program, directory, registry, trash):
        self.program, self.registry, self.trash = program, registry, trash
        self.directory = os.path.join(directory, "limit")
        self.root = os.path.join(self.directory, "root")

    def measure(self, workload, base_layer, repository, context):
        """Seconds for each mode, once."""
        os.makedirs(self.root)
        try:
            base = timed([self.program, "unpack", base_layer, self.root])
            request = self.request(repository)
            look = timed([self.program, "stat", context])
            warm = request + look + self.run(workload) + self.pack(workload, context)
        finally:
            self.trash.take(self.directory)
        result = {"cold": base + warm, "cached": request + look, "changed": warm, "warm": warm}
        return {mode: result[mode] for mode in workload.modes}

    def pack(self, workload, context):
        directories = [os.path.join(self.root, name) for name in workload.changed]
        if workload.files:
            directories.append(os.path.join(context, "tree"))
        if not directories:
            return 0
        return timed([self.program, "pack", os.path.join(self.directory, "layer"), LEVEL, *directories])

    def run(self, workload):
        """The scripts on a bare directory, stages beside each other."""
        if workload.needs_container:
            return 0
        environment = dict(os.environ, ROOT=self.root)
        before = time.monotonic()
        script = "\n".join("(" + "; ".join(f"sh -c {quote(run)}" for run in stage) + ") &" for stage in workload.stages)
        subprocess.run(["sh", "-c", script + "\nwait"], env=environment, check=True)
        return time.monotonic() - before

    def request(self, repository):
        """One manifest request."""
        before = time.monotonic()
        self.registry.request("HEAD", f"/v2/{repository}/manifests/1", headers={"Accept": services.MANIFEST})
        return time.monotonic() - before


def quote(text):
    return "'" + text.replace("'", "'\\''") + "'"
