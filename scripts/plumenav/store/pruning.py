"""Which entries go: too old, or too many; never what a living workflow uses."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from typing import NamedTuple

from plumenav.store.entries import Entry

Rank = Callable[[Entry], tuple[float, ...]]

# what goes first has the smallest rank
POLICIES: dict[str, Rank] = {
    "lru": lambda entry: (entry.used_s,),
    "lfu": lambda entry: (entry.uses, entry.used_s),
    "fifo": lambda entry: (entry.created_s,),
}


class Verdict(NamedTuple):
    """What is to be done with the entries of a level.

    Attributes
    ----------
    removed : list of (Entry, str)
        With the reason.
    spared : list of Entry
        Would go, but a running workflow uses them.
    """

    removed: list[tuple[Entry, str]]
    spared: list[Entry]


def age_s(entry: Entry, policy: str, now_s: float) -> float:
    """Since the last use; with first in, first out since it was made."""
    return now_s - (entry.created_s if policy == "fifo" else entry.used_s)


def judge(
    entries: Iterable[Entry],
    limit_bytes: float,
    max_age_s: float,
    policy: str,
    now_s: float,
    held: Collection[str] = (),
) -> Verdict:
    """Choose what goes.

    Parameters
    ----------
    entries : iterable of Entry
    limit_bytes, max_age_s : float
    policy : {"lru", "lfu", "fifo"}
        Least recently used, least frequently used (then least recently), first in first out.
    now_s : float
        Seconds since the epoch.
    held : collection of str
        Keys in use.

    Notes
    -----
    An entry that is larger than the limit by itself goes as soon as nobody uses it, and no other
    one has to make room for it.
    """
    going: list[tuple[Entry, str]] = []
    staying: list[Entry] = []
    for entry in entries:
        if age_s(entry, policy, now_s) > max_age_s:
            going.append((entry, "too old"))
        elif entry.n_bytes > limit_bytes:
            going.append((entry, "larger than the limit"))
        else:
            staying.append(entry)
    total = sum(entry.n_bytes for entry in staying)
    for entry in sorted(_free(staying, held), key=POLICIES[policy]):
        if total <= limit_bytes:
            break
        going.append((entry, "to make room"))
        total -= entry.n_bytes
    free = [(entry, why) for entry, why in going if entry.key not in held]
    return Verdict(free, [entry for entry, _ in going if entry.key in held])


def _free(entries: Sequence[Entry], held: Collection[str]) -> list[Entry]:
    return [entry for entry in entries if entry.key not in held]
