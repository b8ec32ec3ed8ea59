"""Makes one index of the images of an OCI layout, whose tags are architectures: make_index.py LAYOUT TAG

An attestation is among them, as docker buildx adds it.
"""
import hashlib
import json
import sys

layout, tag = sys.argv[1:]


def keep(value):
    data = json.dumps(value).encode()
    digest = hashlib.sha256(data).hexdigest()
    with open(f"{layout}/blobs/sha256/{digest}", "wb") as file:
        file.write(data)
    return {"digest": "sha256:" + digest, "size": len(data)}


MANIFEST = "application/vnd.oci.image.manifest.v1+json"
with open(f"{layout}/index.json") as file:
    top = json.load(file)
entries = []
for image in top["manifests"]:
    architecture = image["annotations"]["org.opencontainers.image.ref.name"]
    platform = {"os": "linux", "architecture": architecture}
    entries.append({key: image[key] for key in ("mediaType", "digest", "size")} | {"platform": platform})

config = keep({"os": "unknown", "architecture": "unknown", "rootfs": {"type": "layers", "diff_ids": []}})
attestation = keep(
    {
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "config": {"mediaType": "application/vnd.oci.image.config.v1+json", **config},
        "layers": [],
    }
)
unknown = {"os": "unknown", "architecture": "unknown"}
entries.append({"mediaType": MANIFEST, **attestation, "platform": unknown})

index = "application/vnd.oci.image.index.v1+json"
document = {"schemaVersion": 2, "mediaType": index, "manifests": entries}
top["manifests"] = [
    {"mediaType": index, **keep(document), "annotations": {"org.opencontainers.image.ref.name": tag}}
]
with open(f"{layout}/index.json", "w") as file:
    json.dump(top, file)
