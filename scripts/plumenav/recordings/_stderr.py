"""Hear what a decoder says: libraries in C report damage on file descriptor 2 and nowhere else."""

from __future__ import annotations

import contextlib
import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def stderr_lines() -> Iterator[list[str]]:
    """Collect what is written to file descriptor 2 inside the block.

    A file, not a pipe, takes the text, so that no amount of it can block the decoder. The list is
    filled when the block ends. Keep the block to the decoder's calls: it hears the whole process.

    Yields
    ------
    list of str
        Lines, empty until the block has ended.
    """
    lines: list[str] = []
    with contextlib.suppress(AttributeError, ValueError):  # no stderr, or a closed one
        sys.stderr.flush()
    saved = os.dup(2)
    with tempfile.TemporaryFile() as heard:
        os.dup2(heard.fileno(), 2)
        try:
            yield lines
        finally:
            os.dup2(saved, 2)
            os.close(saved)
            heard.seek(0)
            lines.extend(heard.read().decode(errors="replace").splitlines())
