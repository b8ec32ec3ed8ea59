"""Prints what an OCI layout really holds, as JSON: python3 read_image.py LAYOUT NAME

Nothing of Lichen has a part in it: hashlib, gzip and tarfile are Python's. Names are percent-encoded bytes.
"""

import gzip
import hashlib
import json
import sys
import tarfile
import urllib.parse

layout, name = sys.argv[1:]


def blob(digest):
    with open(f"{layout}/blobs/{digest.replace(':', '/')}", "rb") as file:
        return file.read()


def described(descriptor):
    data = blob(descriptor["digest"])
    return {
        "mediaType": descriptor["mediaType"],
        "digest": descriptor["digest"],
        "size": descriptor["size"],
        "actualDigest": "sha256:" + hashlib.sha256(data).hexdigest(),
        "actualSize": len(data),
    }


def text(value):
    return urllib.parse.quote(value.encode("utf-8", "surrogateescape"), safe="/ +,=:@~!#$&'()*;<>?[]^{|}")


KINDS = {
    tarfile.REGTYPE: "file", tarfile.AREGTYPE: "file", tarfile.DIRTYPE: "directory", tarfile.SYMTYPE: "link",
    tarfile.LNKTYPE: "hardlink", tarfile.FIFOTYPE: "fifo", tarfile.CHRTYPE: "character", tarfile.BLKTYPE: "block",
    tarfile.GNUTYPE_SPARSE: "file",
}


def entries(data):
    import io

    archive = tarfile.open(fileobj=io.BytesIO(data), errorlevel=2)
    for member in archive:
        content = archive.extractfile(member).read() if member.isreg() else b""
        yield {
            "name": text(member.name), "kind": KINDS.get(member.type, "?"), "mode": member.mode, "uid": member.uid,
            "gid": member.gid, "size": member.size, "modified": float(member.mtime), "target": text(member.linkname),
            "content": text(content[:65536].decode("utf-8", "surrogateescape")),
            "sha256": hashlib.sha256(content).hexdigest(),
            "attributes": {
                key[len("SCHILY.xattr."):]: text(value)
                for key, value in member.pax_headers.items() if key.startswith("SCHILY.xattr.")
            },
        }


with open(f"{layout}/index.json", "rb") as file:
    index = json.load(file)
chosen = [
    entry for entry in index["manifests"]
    if entry.get("annotations", {}).get("org.opencontainers.image.ref.name") == name
]
(descriptor,) = chosen
manifest = json.loads(blob(descriptor["digest"]))
config = json.loads(blob(manifest["config"]["digest"]))
layers = []
for layer in manifest["layers"]:
    data = blob(layer["digest"])
    inflated = gzip.decompress(data) if data[:2] == b"\x1f\x8b" else data
    layers.append(
        described(layer) | {"diffID": "sha256:" + hashlib.sha256(inflated).hexdigest(), "entries": list(entries(inflated))})
json.dump(
    {
        "manifest": described(descriptor), "manifestMediaType": manifest.get("mediaType"),
        "schemaVersion": manifest["schemaVersion"], "config": described(manifest["config"]), "layers": layers,
        "image": config,
    },
    sys.stdout)
