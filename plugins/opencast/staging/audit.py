"""List the files that two systems share: ``python -m opencast.staging.audit --source DIR --target DIR``.

Reads names and status only, never a file's bytes, and changes nothing.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Container, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

_Inode = tuple[int, int]


@dataclass(frozen=True)
class SharedInode:
    """One file with names on both sides.

    :param size: bytes.
    :param source: its names below the source's folders.
    :param target: its names below the target's folders.
    """

    size: int
    source: tuple[Path, ...]
    target: tuple[Path, ...]


def shared_inodes(source_roots: Iterable[Path], target_roots: Iterable[Path]) -> Iterator[SharedInode]:
    """Go through the files that lie below both sides; symbolic links are not followed.

    Memory grows with the number of the source's files that have more than one name.
    """
    source = _names_by_inode(source_roots, None)
    target = _names_by_inode(target_roots, source.keys())
    for inode in sorted(target, key=lambda inode: source[inode][1][0]):
        size, names = source[inode]
        yield SharedInode(size, tuple(names), tuple(target[inode][1]))


def _names_by_inode(roots: Iterable[Path], wanted: Container[_Inode] | None) -> dict[_Inode, tuple[int, list[Path]]]:
    found: dict[_Inode, tuple[int, list[Path]]] = {}
    for root in roots:
        for path, status in _files(root):
            inode = (status.st_dev, status.st_ino)
            if wanted is None or inode in wanted:
                found.setdefault(inode, (status.st_size, []))[1].append(path)
    return found


def _files(root: Path) -> Iterator[tuple[Path, os.stat_result]]:
    """Give the files with more than one name below a folder."""
    for folder, folders, names in os.walk(root, onerror=_raise):
        folders.sort()
        for name in sorted(names):
            path = Path(folder, name)
            try:
                status = path.lstat()
            except FileNotFoundError:  # removed since the folder was listed
                continue
            if status.st_nlink > 1:
                yield path, status


def _raise(error: OSError) -> None:
    raise error


def main(arguments: Sequence[str] | None = None) -> int:
    """Print one line for each shared file: bytes, a name on the source, a name on the target; tab-separated.

    :returns: exit code: 0 nothing is shared, 1 something is, 2 a folder could not be read.
    """
    parser = argparse.ArgumentParser(prog="opencast.staging.audit", description="List files that two systems share.")
    parser.add_argument("--source", type=Path, action="append", required=True, help="archive or downloads folder")
    parser.add_argument("--target", type=Path, action="append", required=True, help="storage folder of the target")
    options = parser.parse_args(arguments)
    count = size = 0
    try:
        for shared in shared_inodes(options.source, options.target):
            count += 1
            size += shared.size
            print(shared.size, shared.source[0], shared.target[0], sep="\t")
    except OSError as error:
        print(f"Cannot read {error.filename}: {error.strerror}", file=sys.stderr)
        return 2
    print(f"{count} files with {size} bytes are shared.", file=sys.stderr)
    return 1 if count else 0


if __name__ == "__main__":
    sys.exit(main())
