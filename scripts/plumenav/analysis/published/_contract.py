"""What a check of published numbers hands over."""

from __future__ import annotations

from typing import NamedTuple


class Measurement(NamedTuple):
    """One of our values for a published number.

    Attributes
    ----------
    key : str
        Name of the target.
    ours : float
    standard_error : float or None
        Of ours; None: ours is exact.
    n : int
        How many independent samples ours is made of.
    """

    key: str
    ours: float
    standard_error: float | None
    n: int
