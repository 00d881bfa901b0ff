"""Evenly spread members of a sequence whose length is not known beforehand."""

from __future__ import annotations

from typing import Generic, TypeVar

T = TypeVar("T")


class Spread(Generic[T]):
    """Keeps every 2**k-th member of a sequence: more than half of `limit` and at most `limit`.

    Parameters
    ----------
    limit : int

    Attributes
    ----------
    kept : list
        The members kept so far.

    Examples
    --------
    >>> spread = Spread(4)
    >>> for number in range(11):
    ...     if spread.wants():
    ...         spread.add(number)
    >>> spread.kept
    [0, 4, 8]
    """

    def __init__(self, limit: int) -> None:
        self._limit, self._every, self._seen = limit, 1, 0
        self.kept: list[T] = []

    def wants(self) -> bool:
        """Whether the next member is one of those kept; to be asked once for each."""
        self._seen += 1
        return (self._seen - 1) % self._every == 0

    def add(self, member: T) -> None:
        """Keep the member that was wanted."""
        self.kept.append(member)
        if len(self.kept) > self._limit:
            self.kept, self._every = self.kept[::2], 2 * self._every
