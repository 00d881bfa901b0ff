"""Several look at a plume together: a block is decoded once for all, and lies in memory alone.

Decoding into memory that is used again costs a few milliseconds for 16 MB; keeping a movie costs
its size, and fresh memory several times as long as the decoding.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from queue import SimpleQueue
from typing import Any, Generic, TypeVar

from plumenav.tables.plume import Block

T = TypeVar("T")


class AbandonedError(Exception):
    """Nobody goes on, because one of those who look together has failed."""


class Seat:
    """Where one of them asks for blocks."""

    def __init__(self) -> None:
        self.number, self.shown = -1, None  # type: int, Block | None
        self.asked: SimpleQueue[int | None] = SimpleQueue()  # None: it has seen enough
        self.given: SimpleQueue[Block | None] = SimpleQueue()  # None: go home

    def block(self, number: int) -> Block:
        """A block; it comes when all who want an earlier one have had it."""
        if number != self.number or self.shown is None:
            self.shown = None
            self.asked.put(number)
            self.number, self.shown = number, self.given.get()
        if self.shown is None:
            raise AbandonedError
        return self.shown


class _Viewer(Generic[T]):
    """One who looks, in a thread of its own."""

    def __init__(self, look: Callable[[Seat], T]) -> None:
        self.seat = Seat()
        self.seen: list[T] = []
        self.error: BaseException | None = None
        self.thread = threading.Thread(target=self._run, args=(look,), daemon=True)
        self.wanted: int | None = None

    def _run(self, look: Callable[[Seat], T]) -> None:
        try:
            self.seen.append(look(self.seat))
        except BaseException as error:
            self.error = error
        finally:
            self.seat.shown = None
            self.seat.asked.put(None)

    def go_on(self, block: Block | None = None) -> None:
        """Let it work until it wants another block, or has ended."""
        if block is None:
            self.thread.start()
        else:
            self.seat.given.put(block)
        self.wanted = self.seat.asked.get()
        if self.error is not None:
            raise self.error


def look_together(read: Callable[[int], Block], viewers: Sequence[Callable[[Seat], T]]) -> list[T]:
    """Let all see the blocks that they ask for, as a movie goes: onwards, and again from the start.

    One works at a time, so that this is no faster than one after the other, but for the reading.

    Parameters
    ----------
    read : callable
        Decodes a block, by its number.
    viewers : sequence of callable
        Each gets a seat, and asks it for blocks in the order of the movie.

    Returns
    -------
    list
        What each of them returned.
    """
    everyone: list[_Viewer[T]] = [_Viewer(look) for look in viewers]
    try:
        for viewer in everyone:
            viewer.go_on()
        number = -1
        while wanted := [viewer.wanted for viewer in everyone if viewer.wanted is not None]:
            number = min((n for n in wanted if n > number), default=min(wanted))
            block: Any = read(number)
            for viewer in everyone:
                if viewer.wanted == number:
                    viewer.go_on(block)
            del block
    finally:
        for viewer in everyone:
            viewer.seat.given.put(None)  # nobody is left waiting if this was left early
    return [viewer.seen[0] for viewer in everyone]
