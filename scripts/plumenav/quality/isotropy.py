"""Are pixels square? Small whiffs of odour are about as long as they are wide.

The correlation of small-scale fluctuations one frame later (which noise does not enter) has a width
along columns and one along rows. A scale that is wrong in one direction stretches one of them.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

HALF = 0.5


class Widths(NamedTuple):
    """Half widths at half height of a correlation peak, pixels; None if not inside the surface."""

    row: float | None
    column: float | None


def _half_width(line: np.ndarray, peak: int) -> float | None:
    """Mean distance on both sides of a peak to half its height."""
    sides = []
    for part in (line[peak:], line[peak::-1]):
        below = np.flatnonzero(~(part > HALF * part[0]))
        if not below.size or np.isnan(part[below[0]]):
            return None
        k = int(below[0])
        above, under = part[k - 1] / part[0], part[k] / part[0]
        sides.append(k - 1 + (above - HALF) / (above - under))
    return float(np.mean(sides))


def peak_widths(correlation: np.ndarray) -> Widths:
    """Widths of the highest peak of a correlation surface, along rows and along columns.

    Examples
    --------
    >>> r, c = np.mgrid[-20:21, -20:21]
    >>> [round(w, 1) for w in peak_widths(np.exp(-(r**2 / 8 + c**2 / 50)))]
    [2.4, 5.9]
    """
    known = np.where(np.isnan(correlation), -np.inf, correlation)
    row, column = divmod(int(np.argmax(known)), correlation.shape[1])
    if not known[row, column] > 0:
        return Widths(None, None)
    return Widths(_half_width(correlation[:, column], row), _half_width(correlation[row], column))
