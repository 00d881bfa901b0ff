"""How often the cache helped: one line for each time it was asked, of the newest runs."""

from __future__ import annotations

import contextlib
import json
import os
import time
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from plumenav.ownership import Owner
from plumenav.plain_files import unique
from plumenav.store.writing import append

FILE = "lookups.jsonl"
MOST_BYTES = 4 * 2**20
RECENT_RUNS = 20


class Lookup(NamedTuple):
    """One job that asked one level.

    Attributes
    ----------
    at_s : float
        Seconds since the epoch.
    run : str
        The workflow's process.
    level : str
        blocks, plumes or results.
    rule : str
    hits, misses : int
    mb : float
        Taken from the cache, or put into it.
    saved_s : float
        CPU seconds that what was taken had cost.
    """

    at_s: float
    run: str
    level: str
    rule: str
    hits: int
    misses: int
    mb: float
    saved_s: float


class Rate(NamedTuple):
    """What the cache did in the newest runs.

    Attributes
    ----------
    runs, hits, misses : int
    mb, saved_s : float
        Of hits.
    last_hits, last_misses : int
        Of the last run alone.
    """

    runs: int
    hits: int
    misses: int
    mb: float
    saved_s: float
    last_hits: int
    last_misses: int

    @property
    def hit_rate(self) -> float | None:
        """Hits over all; None if nobody asked."""
        asked = self.hits + self.misses
        return self.hits / asked if asked else None

    @property
    def last_hit_rate(self) -> float | None:
        """The same of the last run."""
        asked = self.last_hits + self.last_misses
        return self.last_hits / asked if asked else None


def note(
    root: Path,
    owner: Owner,
    level: str,
    rule: str,
    hits: int,
    misses: int,
    mb: float,
    saved_s: float = 0.0,
) -> None:
    """Note that a job asked; where that cannot be written, nothing is noted."""
    run = f"{owner.host}-{owner.pid}-{int(100 * owner.started_s)}"
    line = Lookup(
        round(time.time(), 3), run, level, rule, hits, misses, round(mb, 3), round(saved_s, 3)
    )
    path = root / FILE
    with contextlib.suppress(OSError):
        path.touch()
        if path.stat().st_size > MOST_BYTES:
            _shorten(path)
    append(path, (json.dumps(line) + "\n").encode())


def _shorten(path: Path) -> None:
    """Keep the newer half."""
    temporary = unique(path)
    lines = path.read_bytes().splitlines(keepends=True)
    temporary.write_bytes(b"".join(lines[len(lines) // 2 :]))
    os.replace(temporary, path)


def read(root: Path) -> list[Lookup]:
    """All noted lookups, oldest first; lines that are none are left out."""
    found = []
    with contextlib.suppress(OSError):
        for line in (root / FILE).read_text(errors="replace").splitlines():
            with contextlib.suppress(ValueError, TypeError):
                at_s, run, level, rule, hits, misses, mb, saved_s = json.loads(line)
                found.append(
                    Lookup(
                        float(at_s),
                        str(run),
                        str(level),
                        str(rule),
                        int(hits),
                        int(misses),
                        float(mb),
                        float(saved_s),
                    )
                )
    return sorted(found, key=lambda one: one.at_s)


def rate(lookups: Iterable[Lookup], level: str, newest: int = RECENT_RUNS) -> Rate:
    """Hit rate of a level over the newest runs that asked it."""
    own = [one for one in lookups if one.level == level]
    last = {one.run: one.at_s for one in own}  # in order: the last wins
    runs = sorted(last, key=lambda run: last[run])[-newest:]
    counted = [one for one in own if one.run in runs]
    final = [one for one in counted if one.run == runs[-1]]
    return Rate(
        len(runs),
        sum(one.hits for one in counted),
        sum(one.misses for one in counted),
        sum(one.mb for one in counted if one.hits),
        sum(one.saved_s for one in counted),
        sum(one.hits for one in final),
        sum(one.misses for one in final),
    )
