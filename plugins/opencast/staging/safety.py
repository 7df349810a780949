"""When files may be shared between two systems, and what that means; checked before anything is linked."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

from opencast.errors import ConfigurationError
from opencast.staging.disk import NOT_THIS_WAY, Disk, storage_errors
from opencast.staging.mounts import Mount
from opencast.staging.store import ObjectStore

#: Shown where linking is switched on.
SHARED_INODES = """\
Linked files are one file with several names: in the source's archive and downloads, in staging, and in the target's
files, archive and downloads. That is why nothing is copied, and why these rules hold for as long as both exist:

- Never write into such a file in place, on either side: no editor, no tagging tool, no `>` of a shell, no rsync with
  --inplace. Replacing a file by a new one (as Opencast does everywhere below archive and downloads) is safe, and so
  is deleting: the other names keep the bytes.
- chmod, chown and setfacl on one side change the other side, too. Do not run them recursively over an archive.
- The bytes are on the disk once: a bad sector, or a restore of the file system, concerns both systems. Linking is no
  backup; keep one of the source until the target has its own.
- Space becomes free only when the last name is deleted. `du` over both trees counts each file once.
- To part the two systems later, copy the target's storage to another file system.

List the files that both systems share with: python -m opencast.staging.audit --source DIR --target DIR
"""

#: How many files of a mount are tried before it counts as empty.
_SAMPLES = 20
_FOLDERS_SEARCHED = 2000


@dataclass(frozen=True)
class LinkProbe:
    """Whether files of a mount can be linked into staging; when not, they are copied or reflinked.

    :param reason: what was found, one sentence.
    """

    ok: bool
    reason: str
    advice: str = ""


def check_storage(
    staging: Path,
    mounts: Sequence[Mount],
    files_root: Path | None,
    *,
    link: bool,
    allow_writable_source: bool,
    disk: Disk | None = None,
) -> None:
    """Refuse storage settings under which the source could be damaged.

    :param staging: root of the store.
    :param mounts: the source's mounted storage.
    :param files_root: the target's ``files`` folder when the link route is used.
    :param link: whether files of the source may be linked.
    :param allow_writable_source: whether the administrator has accepted that this process could write to the source.
    :raises ConfigurationError: naming every setting that is wrong.
    """
    disk = disk or Disk()
    problems = [f"{mount.root} is no folder on this worker" for mount in mounts if not mount.root.is_dir()]
    sources = {mount.root for mount in mounts if mount.root.is_dir()}
    others = [staging, files_root] if files_root is not None else [staging]
    for source in sorted(sources):
        problems += [f"{source} and {other} overlap" for other in others if _overlap(source, other)]
        if not allow_writable_source and disk.writable(source):
            problems.append(
                f"{source} can be written to, and the option that allows that is off"
                + (" (files can only be linked within one mount, so a read-only mount means copies)" if link else "")
            )
    problems += [f"{one} and {other} overlap" for one, other in combinations(others, 2) if _overlap(one, other)]
    if problems:
        raise ConfigurationError(
            f"The storage settings are not safe: {'; '.join(problems)}.",
            advice="Mount the source's storage read-only, or read about shared files in the documentation and allow "
            "a writable source.",
        )


def probe_mount(store: ObjectStore, mount: Mount) -> LinkProbe:
    """Try to link one file of a mount into staging, and remove the link."""
    disk = store.disk
    for number, path in enumerate(_some_files(mount.root), start=1):
        with store.lock("probe-mount"):
            temporary = store.link_path("probe-mount")
            try:
                disk.link(path, temporary)
            except OSError as error:
                if error.errno in NOT_THIS_WAY:
                    return LinkProbe(
                        False,
                        f"Files of {mount.root} cannot be linked into staging: {error.strerror}.",
                        "Links need one file system under one mount, and workers that own the files or are root "
                        "(fs.protected_hardlinks).",
                    )
                if number >= _SAMPLES:
                    break
            else:
                store.discard("probe-mount")
                return LinkProbe(True, f"Files of {mount.root} can be linked into staging.")
    return LinkProbe(False, f"No file was found below {mount.root} to try a link with.", "Is the storage mounted?")


def _overlap(one: Path, other: Path) -> bool:
    """Whether one folder is, or lies in, the other; also by another mount of the same folder."""
    one, other = one.resolve(), other.resolve()
    return one.is_relative_to(other) or other.is_relative_to(one) or _same_folder_above(one, other)


def _same_folder_above(one: Path, other: Path) -> bool:
    return _inode(one) in set(_inodes_above(other)) or _inode(other) in set(_inodes_above(one))


def _inodes_above(path: Path) -> Iterator[tuple[int, int]]:
    # The root folder is above everything: it says nothing.
    for folder in (path, *path.parents[:-1]):
        inode = _inode(folder)
        if inode is not None:
            yield inode


def _inode(path: Path) -> tuple[int, int] | None:
    with storage_errors(f"read the status of {path}"):
        try:
            status = os.stat(path)  # noqa: PTH116
        except FileNotFoundError:
            return None
    return status.st_dev, status.st_ino


def _some_files(root: Path) -> Iterable[Path]:
    """Give some files below a folder, without walking through a whole library."""
    for number, (folder, _, names) in enumerate(os.walk(root)):
        yield from (Path(folder, name) for name in names[:2])
        if number >= _FOLDERS_SEARCHED:
            return
