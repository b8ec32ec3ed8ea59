"""The builders that are compared: how each is asked for the same thing."""

import os
import shutil
import subprocess


class Trash:
    """Takes what is forgotten out of the way at once, and removes it when the room is needed.

    ext4 makes files slowly for minutes after many were removed (it passes over their inodes, one by one), and that would be
    counted for whoever is measured next.
    """

    LEAST_ROOM = 20 << 30

    def __init__(self, directory):
        self.directory, self.count = os.path.join(directory, "trash"), 0
        os.makedirs(self.directory, exist_ok=True)

    def take(self, path):
        if os.path.lexists(path):
            self.count += 1
            os.rename(path, os.path.join(self.directory, str(self.count)))

    def empty_if_full(self):
        if shutil.disk_usage(self.directory).free < self.LEAST_ROOM:
            remove(self.directory)
            os.makedirs(self.directory)


def remove(path):
    """Removes a directory with files of subordinate ids."""
    if os.path.lexists(path):
        subprocess.run(["unshare", "--map-root-user", "--map-auto", "rm", "-rf", path], check=True)


class Lichen:
    name = "lichen"

    def __init__(self, binary, directory, trash):
        self.trash = trash
        self.binary, self.store = binary, os.path.join(directory, "lichen-store")
        self.program = os.path.basename(binary)
        self.environment = dict(os.environ)

    def version(self):
        return subprocess.run([self.binary, "version"], capture_output=True, text=True, check=True).stdout.strip()

    def forget(self):
        """Empties the store."""
        self.trash.take(self.store)

    def build(self, context, image):
        """The command that builds and pushes."""
        return [self.binary, "build", "--root", self.store, "--progress", "plain", "-t", image, "--push", context]


class Buildah:
    """Debian's, rootless, with the kernel's overlay.

    By its default crun it can't run anything on hosts whose cgroups are in hybrid mode; runc doesn't mind. The network is the
    host's, as Lichen's is: setting up another one would only add to its time.
    """

    name = "buildah"
    program = "buildah"

    def __init__(self, directory, trash):
        self.trash = trash
        self.home = os.path.join(directory, "buildah-home")
        self.environment = dict(os.environ, HOME=self.home, XDG_RUNTIME_DIR=os.path.join(self.home, "run"))

    def version(self):
        output = subprocess.run(["buildah", "--version"], capture_output=True, text=True, check=True).stdout
        return output.split(" (")[0].replace(" version", "").strip()

    def forget(self):
        self.trash.take(self.home)
        os.makedirs(os.path.join(self.home, "run"), mode=0o700)

    def build(self, context, image):
        buildah = ["buildah", "--storage-driver", "overlay"]
        build = buildah + ["build", "--layers", "--isolation", "rootless", "--runtime", "/usr/sbin/runc",
                           "--network", "host", "--tls-verify=false", "-t", image, context]
        push = buildah + ["push", "--quiet", "--tls-verify=false", image]
        return ["sh", "-c", f"{' '.join(build)} && exec {' '.join(push)}"]
