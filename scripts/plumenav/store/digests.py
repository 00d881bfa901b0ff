"""sha256 of files, remembered for large ones: a plume of 500 MB is asked for in every job.

What is remembered of a file holds while its size, its inode and its time of change are the same:
what Snakemake trusts, and a little more.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import time
from pathlib import Path
from typing import Any

from plumenav.plain_files import write_json
from plumenav.store.folders import root

# smaller files are read in less time than it takes to remember them
REMEMBERED_BYTES = 4 * 2**20
# a file that is still being written may change again within one tick of its clock
SETTLED_NS = 20_000_000
# a note that is so old is made anew
NOTE_S = 30 * 86400.0


def read_sha256(path: str | os.PathLike[str]) -> str:
    """Hexadecimal sha256 of a file's content, read now; 0.65 CPU-s per GB."""
    # not mapped: somebody else's truncation would end this process
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _note_of(path: Path) -> Path:
    name = hashlib.sha256(str(path.absolute()).encode()).hexdigest()[:32]
    return root() / "digests" / f"{name}.json"


def _stamp(path: Path) -> dict[str, Any]:
    stat = path.stat()
    return {"bytes": stat.st_size, "inode": stat.st_ino, "changed_ns": stat.st_mtime_ns}


def remember(path: Path, sha256: str) -> None:
    """Note the sha256 of a file as it is now."""
    with contextlib.suppress(OSError):
        stamp = _stamp(path)
        if stamp["bytes"] < REMEMBERED_BYTES:
            return
        if time.time_ns() - stamp["changed_ns"] < SETTLED_NS:
            return
        write_json(_note_of(path), {**stamp, "sha256": sha256})


def of_file(path: Path) -> str:
    """Hexadecimal sha256 of a file's content, as remembered or read."""
    stamp = _stamp(path)
    if stamp["bytes"] < REMEMBERED_BYTES:
        return read_sha256(path)
    try:
        own = _note_of(path)
        note = json.loads(own.read_text())
        # somebody else's word about our file is not taken
        if own.stat().st_uid == os.getuid() and all(
            note[key] == value for key, value in stamp.items()
        ):
            return str(note["sha256"])
    except (OSError, ValueError, KeyError, TypeError):
        pass
    found = read_sha256(path)
    if _stamp(path) == stamp:
        remember(path, found)
    return found


def of_input(path: Path) -> str:
    """Sha256 of a file, or of a folder: of the names and contents of all files in it."""
    if not path.is_dir():
        return of_file(path)
    files = sorted(file for file in path.rglob("*") if file.is_file())
    lines = [f"{file.relative_to(path).as_posix()} {of_file(file)}" for file in files]
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def forget_old() -> None:
    """Remove old notes: most are of files that are gone."""
    limit = time.time() - NOTE_S
    for note in (root() / "digests").glob("*.json"):
        with contextlib.suppress(OSError):
            if note.stat().st_mtime < limit:
                note.unlink()
