"""Copies, and lines that many processes add to one file."""

from __future__ import annotations

import contextlib
import os
import shutil
from pathlib import Path

COPY_BYTES = 2**27


def sync(path: Path) -> None:
    """Have the content of a file, or the names in a folder, on disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def copy(source: int, target: Path) -> None:
    """Copy an open file: without moving bytes where the file system can, else in the kernel."""
    n = os.fstat(source).st_size
    with open(target, "wb") as out:
        done = 0
        with contextlib.suppress(OSError, AttributeError):
            while done < n:
                moved = os.copy_file_range(source, out.fileno(), min(n - done, COPY_BYTES), done)
                if not moved:
                    break
                done += moved
        if done < n:  # another file system, or no such call on this one
            out.seek(0)
            with os.fdopen(os.dup(source), "rb") as file:
                file.seek(0)
                shutil.copyfileobj(file, out, 2**20)
        out.flush()
        os.fsync(out.fileno())


def append(path: Path, text: bytes) -> None:
    """Add to a file in one write; where that is not allowed, or the file is gone, nothing."""
    with contextlib.suppress(OSError):
        handle = os.open(path, os.O_WRONLY | os.O_APPEND)
        try:
            os.write(handle, text)
        finally:
            os.close(handle)
