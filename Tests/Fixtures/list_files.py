"""Lists the files of a directory or of a tar, the same way: python3 list_files.py DIRECTORY|TAR

One line a file: path, type, mode, owner, size and bytes, link target, device, extended attributes. Times in whole seconds.
"""

import hashlib
import os
import stat
import sys
import tarfile


def line(path, kind, mode, uid, gid, detail, modified, attributes):
    listed = ",".join(f"{name}={value.hex()}" for name, value in sorted(attributes.items()))
    return f"{path!r} {kind} {mode:o} {uid}:{gid} {detail} {modified} {listed}"


def of_directory(root):
    for folder, directories, files in os.walk(os.fsencode(root)):
        for name in directories + files:
            path = os.path.join(folder, name)
            status = os.lstat(path)
            shown = os.path.relpath(path, os.fsencode(root))
            attributes = {}
            if not stat.S_ISLNK(status.st_mode):
                for attribute in os.listxattr(path, follow_symlinks=False):
                    attributes[attribute] = os.getxattr(path, attribute, follow_symlinks=False)
            if stat.S_ISREG(status.st_mode):
                with open(path, "rb") as file:
                    detail = hashlib.sha256(file.read()).hexdigest()
            elif stat.S_ISLNK(status.st_mode):
                detail = repr(os.readlink(path))
            elif stat.S_ISCHR(status.st_mode) or stat.S_ISBLK(status.st_mode):
                detail = f"{os.major(status.st_rdev)},{os.minor(status.st_rdev)}"
            else:
                detail = "-"
            yield line(
                shown, stat.S_IFMT(status.st_mode), stat.S_IMODE(status.st_mode), status.st_uid, status.st_gid, detail,
                int(status.st_mtime), attributes)


KINDS = {
    tarfile.REGTYPE: stat.S_IFREG, tarfile.DIRTYPE: stat.S_IFDIR, tarfile.SYMTYPE: stat.S_IFLNK,
    tarfile.FIFOTYPE: stat.S_IFIFO, tarfile.CHRTYPE: stat.S_IFCHR, tarfile.BLKTYPE: stat.S_IFBLK,
}


def of_tar(path):
    archive = tarfile.open(path)
    members = {}
    for member in archive:
        name = member.name[2:] if member.name.startswith("./") else member.name
        if name in ("", "."):
            continue
        file = members[member.linkname.removeprefix("./")] if member.islnk() else member
        members[name] = file
        attributes = {
            key[len("SCHILY.xattr."):]: value.encode("utf-8", "surrogateescape")
            for key, value in file.pax_headers.items() if key.startswith("SCHILY.xattr.")
        }
        if file.isreg():
            detail = hashlib.sha256(archive.extractfile(file).read()).hexdigest()
        elif file.issym():
            detail = repr(file.linkname.encode("utf-8", "surrogateescape"))
        elif file.ischr() or file.isblk():
            detail = f"{file.devmajor},{file.devminor}"
        else:
            detail = "-"
        kind = stat.S_IFREG if file.isreg() else KINDS[file.type]
        yield line(
            name.encode("utf-8", "surrogateescape"), kind, file.mode, file.uid, file.gid, detail, int(file.mtime),
            attributes)


where = sys.argv[1]
print("\n".join(sorted(of_directory(where) if os.path.isdir(where) else of_tar(where))))
