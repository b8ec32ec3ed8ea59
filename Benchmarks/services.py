"""The registry that both builders pull from and push to, and the bases in it."""

import contextlib
import gzip
import hashlib
import http.client
import io
import json
import os
import platform
import socket
import subprocess
import tarfile
import time
import zlib

MANIFEST = "application/vnd.oci.image.manifest.v1+json"
CONFIG = "application/vnd.oci.image.config.v1+json"
LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"

CONFIGURATION = """version: 0.1
log: {{level: error}}
storage: {{filesystem: {{rootdirectory: {directory}/storage}}}}
http: {{addr: "127.0.0.1:{port}"}}
"""


class Registry:
    """Debian's docker-registry on the loopback interface."""

    def __init__(self, directory):
        with contextlib.closing(socket.create_server(("127.0.0.1", 0))) as free:
            self.port = free.getsockname()[1]
        os.makedirs(directory)
        path = os.path.join(directory, "config.yml")
        with open(path, "w", encoding="ascii") as file:
            file.write(CONFIGURATION.format(directory=directory, port=self.port))
        with open(os.path.join(directory, "log"), "wb") as log:
            self.process = subprocess.Popen(["docker-registry", "serve", path], stdout=log, stderr=log)
        self.host = f"127.0.0.1:{self.port}"
        for _ in range(200):
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port)):
                return
            time.sleep(0.05)
        raise RuntimeError("docker-registry does not answer; its log is in " + directory)

    def close(self):
        self.process.terminate()
        self.process.wait()

    def request(self, method, path, body=None, headers=None):
        connection = http.client.HTTPConnection("127.0.0.1", self.port)
        connection.request(method, path, body, headers or {})
        response = connection.getresponse()
        content = response.read()
        if response.status >= 300:
            raise RuntimeError(f"{method} {path}: {response.status} {content[:200]}")
        return response, content

    def put_blob(self, repository, content):
        digest = "sha256:" + hashlib.sha256(content).hexdigest()
        response, _ = self.request("POST", f"/v2/{repository}/blobs/uploads/")
        path = response.getheader("Location").split(self.host)[-1]
        self.request("PUT", f"{path}{'&' if '?' in path else '?'}digest={digest}", content,
                     {"Content-Type": "application/octet-stream"})
        return {"digest": digest, "size": len(content)}

    def put_image(self, repository, layers):
        """Pushes gzip layers, bottom first, as HOST/REPOSITORY:1."""
        config = {
            "architecture": {"x86_64": "amd64", "aarch64": "arm64"}[platform.machine()], "os": "linux",
            "config": {"Env": ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"]},
            # buildah counts on one for each layer.
            "history": [{"created": "2000-01-01T00:00:00Z", "created_by": "bench"} for _ in layers],
            "rootfs": {"type": "layers", "diff_ids": [diff_id(layer) for layer in layers]},
        }
        manifest = {
            "schemaVersion": 2, "mediaType": MANIFEST,
            "config": {"mediaType": CONFIG, **self.put_blob(repository, json.dumps(config).encode())},
            "layers": [{"mediaType": LAYER, **self.put_blob(repository, layer)} for layer in layers],
        }
        self.request("PUT", f"/v2/{repository}/manifests/1", json.dumps(manifest), {"Content-Type": MANIFEST})
        return f"{self.host}/{repository}:1"

    def digest(self, repository, tag):
        return self.manifest(repository, tag)[0].getheader("Docker-Content-Digest")

    def image_size(self, repository, tag):
        """Bytes of its layers, as they are compressed."""
        return sum(layer["size"] for layer in json.loads(self.manifest(repository, tag)[1])["layers"])

    def manifest(self, repository, tag):
        accepted = f"{MANIFEST}, application/vnd.docker.distribution.manifest.v2+json"
        return self.request("GET", f"/v2/{repository}/manifests/{tag}", headers={"Accept": accepted})


def diff_id(layer):
    """The digest of a layer of one gzip member before it was compressed."""
    inflater, digest = zlib.decompressobj(31), hashlib.sha256()
    for start in range(0, len(layer), 1 << 20):
        digest.update(inflater.decompress(layer[start:start + (1 << 20)]))
    digest.update(inflater.flush())
    return "sha256:" + digest.hexdigest()


PACKAGES = {"debian": [], "bigbase": ["build-essential", "python3"]}


def base_layer(name, cache):
    """The path of a base's gzip layer, made by mmdebstrap as this user when it is first asked for."""
    path = os.path.join(cache, f"{name}.tar.gz")
    if not os.path.exists(path):
        print(f"making the base {name}; it is kept in {cache}", flush=True)
        # No device nodes: an ordinary user can't make them. Nothing of this host, either.
        command = ["mmdebstrap", "--quiet", "--mode=unshare", "--variant=minbase", "--format=tar", "--skip=output/dev",
                   '--aptopt=Acquire::Languages "none"', "--dpkgopt=path-exclude=/usr/share/man/*",
                   '--customize-hook=rm -f "$1/etc/hostname" "$1/etc/resolv.conf"']
        if PACKAGES[name]:
            command.append("--include=" + ",".join(PACKAGES[name]))
        tar = os.path.join(cache, f"{name}.part.tar")
        subprocess.run(command + ["bookworm", tar], check=True, stdin=subprocess.DEVNULL)
        with open(tar, "rb") as plain, open(path + ".part", "wb") as part:
            with gzip.GzipFile(fileobj=part, mode="wb", compresslevel=6, mtime=0, filename="") as packed:
                while chunk := plain.read(1 << 20):
                    packed.write(chunk)
        os.remove(tar)
        os.rename(path + ".part", path)
    return path


def busybox_layer(files=0):
    """A base of one program and so many empty files, 100 in a directory: for what must not take long, and for curves."""
    memory = io.BytesIO()
    with tarfile.open(fileobj=memory, mode="w") as tar:
        for name in ("bin", "srv", "tmp", "etc"):
            tar.addfile(member(name, tarfile.DIRTYPE, 0o755))
        tar.add("/bin/busybox", "bin/busybox", filter=anonymous)
        for applet in ("sh", "touch", "true", "mkdir", "seq", "cat"):
            tar.addfile(member("bin/" + applet, tarfile.SYMTYPE, 0o777, "busybox"))
        for number in range(files):
            if number % 100 == 0:
                tar.addfile(member(f"srv/base{number // 100}", tarfile.DIRTYPE, 0o755))
            tar.addfile(member(f"srv/base{number // 100}/{number % 100}", tarfile.REGTYPE, 0o644))
    return gzip.compress(memory.getvalue(), 1, mtime=0)


def member(name, kind, mode, link=""):
    entry = tarfile.TarInfo(name)
    entry.type, entry.mode, entry.linkname = kind, mode, link
    return entry


def anonymous(entry):
    entry.uid = entry.gid = entry.mtime = 0
    entry.uname = entry.gname = ""
    return entry
