"""One entry on disk: what it says of itself, and whether that is true.

Nothing in an entry is believed: names and sizes are checked before anything is opened, links are
not followed, and content is used only if its sha256 is the noted one.
"""

from __future__ import annotations

import json
import os
import re
import stat
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from plumenav.store.digests import read_sha256
from plumenav.store.keys import KEY, NAME

FACTS, USES = "facts.json", "uses"
SHA256 = re.compile(r"[0-9a-f]{64}")
MOST_FACTS_BYTES = 2**22


class BadEntryError(Exception):
    """An entry that is not what it says."""


class Entry(NamedTuple):
    """What is known of an entry without reading its files.

    Attributes
    ----------
    key : str
    path : Path
    files : dict
        {name: (bytes, sha256)}.
    created_s, used_s : float
        Seconds since the epoch; used at least when it was made.
    uses : int
        How often it was taken.
    facts : dict
        All that was noted.
    """

    key: str
    path: Path
    files: dict[str, tuple[int, str]]
    created_s: float
    used_s: float
    uses: int
    facts: dict[str, Any]

    @property
    def n_bytes(self) -> int:
        """Size of its files."""
        return sum(size for size, _ in self.files.values())


def files_of(facts: Mapping[str, Any]) -> dict[str, tuple[int, str]]:
    """The noted files of an entry, as far as they can be names, sizes and hashes at all.

    Raises
    ------
    BadEntryError
    """
    try:
        files = {
            str(name): (int(file["bytes"]), str(file["sha256"]))
            for name, file in facts["files"].items()
        }
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise BadEntryError(f"its facts are no facts ({error})") from None
    for name, (size, sha256) in files.items():
        if not NAME.fullmatch(name) or size < 0 or not SHA256.fullmatch(sha256):
            raise BadEntryError(f"it names a file {name!r}")
    return files


def read_entry(path: Path) -> Entry:
    """Read what an entry says of itself.

    Raises
    ------
    FileNotFoundError
        If there is none.
    BadEntryError
        If it cannot be understood.
    """
    with open_checked(path / FACTS) as handle:
        if os.fstat(handle).st_size > MOST_FACTS_BYTES:
            raise BadEntryError("its facts are too many")
        text = os.pread(handle, MOST_FACTS_BYTES, 0)
    try:
        facts = json.loads(text)
        created_s = float(facts["created_s"])
        key = str(facts["key"])
    except (ValueError, KeyError, TypeError) as error:
        raise BadEntryError(f"its facts cannot be read ({error})") from None
    if key != path.name:
        raise BadEntryError(f"it says that it is {key}")
    try:
        used = (path / USES).stat()
        used_s, uses = used.st_mtime, used.st_size
    except OSError:
        used_s, uses = created_s, 0
    return Entry(key, path, files_of(facts), created_s, max(created_s, used_s), uses, facts)


def entries_in(level: Path) -> tuple[list[Entry], list[tuple[Path, str]]]:
    """Entries of a level, and what lies there instead of one, with the reason."""
    good, bad = [], []
    for path in sorted(level.glob("[a-z]*-*")):
        if not KEY.fullmatch(path.name):
            continue
        try:
            good.append(read_entry(path))
        except FileNotFoundError as error:
            if path.exists():  # else it was removed meanwhile
                bad.append((path, f"it has no {Path(error.filename).name}"))
        except BadEntryError as error:
            bad.append((path, str(error)))
        except OSError as error:
            bad.append((path, f"it cannot be read ({error.strerror})"))
    return good, bad


@contextmanager
def open_checked(path: Path) -> Iterator[int]:
    """Open a plain file for reading, and nothing else: no link, no pipe.

    Raises
    ------
    BadEntryError
    """
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except (FileNotFoundError, PermissionError):
        raise  # not there, or not for us: no fault of the entry
    except OSError as error:
        raise BadEntryError(f"{path.name} cannot be opened ({error.strerror})") from None
    try:
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            raise BadEntryError(f"{path.name} is no plain file")
        yield handle
    finally:
        os.close(handle)


def fault_of(entry: Entry) -> str | None:
    """What is wrong with an entry's files, all of them read; None if nothing is."""
    for name, (size, sha256) in entry.files.items():
        try:
            with open_checked(entry.path / name) as handle:
                found = os.fstat(handle).st_size
                if found != size:
                    return f"{name} has {found} bytes instead of {size}"
            if read_sha256(entry.path / name) != sha256:
                return f"the content of {name} is not what was kept"
        except FileNotFoundError:
            return f"{name} is missing"
        except BadEntryError as error:
            return str(error)
        except OSError as error:
            return f"{name} cannot be read ({error.strerror})"
    return None
