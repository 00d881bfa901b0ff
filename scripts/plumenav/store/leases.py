"""Who is using what: entries that a living workflow has kept or taken are not evicted."""

from __future__ import annotations

import contextlib
import re
import shutil
import time
from pathlib import Path

from plumenav import ownership
from plumenav.ownership import Owner
from plumenav.plain_files import write_json

FOLDER = "leases"
# a workflow on another machine cannot be asked; it is believed for so long after its last use
ELSEWHERE_S = 24 * 3600.0


def _folder_of(level: Path, owner: Owner) -> Path:
    host = re.sub(r"[^A-Za-z0-9.-]", "_", owner.host)
    return level / FOLDER / f"{host}-{owner.pid}-{int(100 * owner.started_s)}"


def hold(level: Path, owner: Owner, key: str) -> None:
    """Note that a workflow uses an entry; whoever cannot write here holds nothing."""
    folder = _folder_of(level, owner)
    with contextlib.suppress(OSError):
        note = folder / "owner.json"
        if not note.exists():
            write_json(note, owner._asdict())
        (folder / key).touch()


def _alive(folder: Path) -> bool:
    owner = ownership.read_note(folder / "owner.json")
    alive = None if owner is None else ownership.is_alive(owner)
    if alive is None:
        with contextlib.suppress(OSError):
            last = max(path.stat().st_mtime for path in (folder, *folder.iterdir()))
            return time.time() - last < ELSEWHERE_S
        return False
    return alive


def held(level: Path) -> set[str]:
    """Entries in use by living workflows; what dead ones held is let go."""
    keys: set[str] = set()
    folders = list((level / FOLDER).glob("*-*-*"))
    for folder in folders:
        if not _alive(folder):
            shutil.rmtree(folder, ignore_errors=True)
            continue
        keys |= {path.name for path in folder.iterdir()}
    return keys - {"owner.json"}


def is_held(level: Path, key: str) -> bool:
    """Whether anybody holds an entry; asked right before it goes, after :func:`held`."""
    return next((level / FOLDER).glob(f"*/{key}"), None) is not None
