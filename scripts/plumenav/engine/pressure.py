"""How near a job is to its memory budget, and what it does about it: nothing here changes a result.

Between blocks of a plume a job compares its resident memory with the budget that its rule
declared. Above 75 % of it, it keeps fewer decoded blocks and moves fewer agents at a time; above
87 % it gives back all that it could read again; above 94 %, if giving back did not help, it ends
itself with a message, before the system or a batch queue kills it without one, and is retried with
more memory.
"""

from __future__ import annotations

import ctypes
import enum
import logging
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NoReturn

from plumenav.errors import UserError
from plumenav.tables import read_json, write_json

log = logging.getLogger(__name__)


class Level(enum.IntEnum):
    """What the memory in use asks for."""

    CALM = 0
    SMALLER_BLOCKS = 1
    DROPPED_CACHES = 2
    GAVE_UP = 3


# share of the budget from which on each level holds
SHARES = {Level.SMALLER_BLOCKS: 0.75, Level.DROPPED_CACHES: 0.87, Level.GAVE_UP: 0.94}


class OutOfBudgetError(UserError):
    """A job ends itself, because it is about to exceed the memory that it declared."""

    exit_code = 75  # "try again" (EX_TEMPFAIL of BSD's sysexits.h)


def resident_mb() -> float:
    """Resident memory of this process, MB (2**20 bytes, as everywhere in records of usage)."""
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[1])
    except OSError:
        import psutil

        return float(psutil.Process().memory_info().rss) / 2**20
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def release_pools() -> None:
    """Give memory that libraries hold without using it back to the system."""
    import pyarrow as pa

    pa.default_memory_pool().release_unused()
    try:
        ctypes.CDLL(None).malloc_trim(0)
    except (OSError, AttributeError):
        return  # not the GNU library; its memory stays where it is


class Pressure:
    """Memory of this process against its budget.

    Parameters
    ----------
    budget_mb : float
        What the rule declared; 0: no limit.
    resident : callable
        Gives the resident memory, MB.
    clock : callable
        Gives seconds.

    Attributes
    ----------
    events : list of dict
        What was done, for the usage record: kind (lower-case name of the level), rss_mb, budget_mb,
        at_s (since this object was made).
    worst : Level
        The highest that was noted.

    Examples
    --------
    >>> Pressure(1000.0, resident=lambda: 800.0).check().name
    'SMALLER_BLOCKS'
    """

    def __init__(
        self,
        budget_mb: float,
        resident: Callable[[], float] = resident_mb,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.budget_mb = budget_mb
        self.resident, self.clock = resident, clock
        self.began_s = clock()
        self.worst = Level.CALM
        self.events: list[dict[str, Any]] = []

    def check(self) -> Level:
        """The level that the memory in use has reached."""
        if not self.budget_mb:
            return Level.CALM
        share = self.resident() / self.budget_mb
        return max((level for level, at in SHARES.items() if share >= at), default=Level.CALM)

    def note(self, level: Level, action: str) -> None:
        """Log and record what is done."""
        self.worst = max(self.worst, level)
        rss_mb = self.resident()
        log.warning(
            "memory: %.0f MB of the %.0f MB declared are in use; %s",
            *(rss_mb, self.budget_mb, action),
        )
        self.events.append(
            {
                "kind": level.name.lower(),
                "rss_mb": rss_mb,
                "budget_mb": self.budget_mb,
                "at_s": self.clock() - self.began_s,
            }
        )

    def give_up(self) -> NoReturn:
        """End the job.

        Raises
        ------
        OutOfBudgetError
        """
        self.note(Level.GAVE_UP, "nothing is left to give back; the job ends itself")
        raise OutOfBudgetError(
            "memory",
            f"{self.events[-1]['rss_mb']:.0f} MB are in use, with nothing left to give back, of"
            f" {self.budget_mb:.0f} MB that the job declared",
            "",
            "Workflow profiles retry it with more memory (`retries`); a larger"
            " resources.job_memory_mb gives it more at once.",
        )


@contextmanager
def told_to_the_next(pressure: Pressure, usage: Path | None) -> Iterator[None]:
    """Keep the events of a job that gives up for its next attempt, which records them all.

    Parameters
    ----------
    pressure : Pressure
    usage : path, optional
        Usage record of the job, which a failed job does not write; the events wait beside it.
    """
    if usage is None:
        yield
        return
    waiting = usage.with_name(f".{usage.name}.memory_events")
    if waiting.exists():
        pressure.events[:0] = read_json(waiting)
    try:
        yield
    except OutOfBudgetError:
        write_json(waiting, pressure.events)
        raise
    waiting.unlink(missing_ok=True)


class Cache:
    """Things that could be read again, kept while there is room; fewer under pressure.

    What came first stays: a plume is read in circles, and whoever keeps the newest of a circle that
    does not fit finds nothing again.

    Parameters
    ----------
    limit_mb : float
    pressure : Pressure

    Attributes
    ----------
    hits, misses : int
    """

    def __init__(self, limit_mb: float, pressure: Pressure) -> None:
        self.limit_mb, self.pressure = limit_mb, pressure
        self.hits = self.misses = 0
        self.largest_mb = self.kept_mb = 0.0
        self._kept: dict[int, tuple[Any, float]] = {}

    def get(self, key: int, read: Callable[[int], Any], mb: Callable[[Any], float]) -> Any:
        """The thing of this key: kept, or read, and kept if it fits."""
        if key in self._kept:
            self.hits += 1
            return self._kept[key][0]
        self.misses += 1
        thing = read(key)
        size = mb(thing)
        if self.kept_mb + size <= self.limit_mb:
            self._kept[key] = (thing, size)
            self.kept_mb += size
            self.largest_mb = max(self.largest_mb, self.kept_mb)
        return thing

    def shrink(self, limit_mb: float) -> None:
        """Keep no more than this from now on; the newest go first."""
        self.limit_mb = limit_mb
        while self.kept_mb > limit_mb:
            _, (_, size) = self._kept.popitem()
            self.kept_mb -= size
        if not self._kept:
            self.kept_mb = 0.0  # not what rounding left

    def figures(self) -> dict[str, float]:
        """For the usage record: hits, misses, and the most that was kept, MB."""
        return {"hits": self.hits, "misses": self.misses, "mb": self.largest_mb}


def relieve(pressure: Pressure, cache: Cache, agents_at_once: int) -> int:
    """Do what the memory in use asks for.

    Parameters
    ----------
    pressure : Pressure
    cache : Cache
    agents_at_once : int
        Agents that are moved at a time.

    Returns
    -------
    int
        Agents to be moved at a time from now on.

    Raises
    ------
    OutOfBudgetError
        If giving back everything did not help.
    """
    level = pressure.check()
    if level == Level.CALM:
        return agents_at_once
    if level == Level.SMALLER_BLOCKS:
        if cache.kept_mb or agents_at_once > 1:
            halved = max(1, agents_at_once // 2)
            kept_mb = cache.kept_mb / 2
            pressure.note(
                level, f"{kept_mb:.0f} MB of decoded blocks stay, {halved} agents at a time"
            )
            cache.shrink(kept_mb)
            release_pools()
            return halved
        return agents_at_once
    new = cache.limit_mb > 0 or pressure.worst < Level.DROPPED_CACHES
    if new:
        pressure.note(Level.DROPPED_CACHES, "decoded blocks are dropped, pools released")
        cache.shrink(0.0)
    if new or level == Level.GAVE_UP:
        release_pools()
        if pressure.check() == Level.GAVE_UP:
            pressure.give_up()
    return max(1, agents_at_once // 2)
