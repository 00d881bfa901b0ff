"""Hear what a decoder says: libraries in C report damage on file descriptor 2 and nowhere else."""

from __future__ import annotations

import contextlib
import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO

STDERR = 2


def _scratch_file() -> IO[bytes]:
    """A file that is nowhere but in memory, where the system has such; else a temporary one."""
    if hasattr(os, "memfd_create"):
        return os.fdopen(os.memfd_create("decoder"), "w+b", buffering=0)
    return tempfile.TemporaryFile(buffering=0)


def _duplicate(descriptor: int) -> int | None:
    """A copy of a file descriptor; None if it is closed."""
    try:
        return os.dup(descriptor)
    except OSError:
        return None


@contextmanager
def stderr_lines() -> Iterator[list[str]]:
    """Collect what is written to file descriptor 2 inside the block.

    A file, not a pipe, takes the text, so that no amount of it can block the decoder. The list is
    filled when the block ends. Keep the block to the decoder's calls: it hears the whole process.
    A process without file descriptor 2 (a daemon's) is heard too, and has none afterwards.

    Yields
    ------
    list of str
        Lines, empty until the block has ended.
    """
    lines: list[str] = []
    with contextlib.suppress(AttributeError, ValueError, OSError):  # no stderr, or a closed one
        sys.stderr.flush()
    saved = _duplicate(STDERR)
    heard = _scratch_file()
    try:
        # without a file descriptor 2 the scratch file may have become it
        if heard.fileno() != STDERR:
            os.dup2(heard.fileno(), STDERR)
        yield lines
    finally:
        heard.seek(0)
        text = heard.read()
        if saved is not None:
            os.dup2(saved, STDERR)
            os.close(saved)
        elif heard.fileno() != STDERR:
            os.close(STDERR)
        heard.close()
        lines.extend(text.decode(errors="replace").splitlines())
