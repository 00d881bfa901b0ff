"""Writing files so that a half-written one is never seen; text and JSON.

Apart from the tables (plumenav.tables offers it, too), because those cost the import of Arrow: half
of what a job costs that finds its outputs in the store.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any


def unique(target: Path) -> Path:
    """A temporary name beside a target: hidden, and it says which process writes it."""
    return target.parent / f".{os.getpid()}-{os.urandom(4).hex()}.{target.name}"


@contextmanager
def atomic(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Give a temporary name next to `path` and rename it to `path` if the block succeeds.

    The name is unique per process and call, the content is on disk before the rename, and a block
    that fails leaves nothing behind.

    Yields
    ------
    Path
        Where to write.
    """
    target = Path(path)
    target.parent.mkdir(parents=True, exist_ok=True)
    temporary = unique(target)
    try:
        yield temporary
        with open(temporary, "rb") as written:
            os.fsync(written.fileno())
        os.replace(temporary, target)
    finally:
        temporary.unlink(missing_ok=True)


def write_text(path: str | os.PathLike[str], text: str) -> None:
    """Write a text file atomically (UTF-8, as given)."""
    with atomic(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def write_json(path: str | os.PathLike[str], content: Any) -> None:
    """Write JSON atomically: sorted keys, no NaN (None stands for what does not exist)."""
    write_text(path, json.dumps(content, indent=1, sort_keys=True, allow_nan=False) + "\n")


def read_json(path: str | os.PathLike[str]) -> Any:
    """Read a JSON file."""
    return json.loads(Path(path).read_text(encoding="utf-8"))
