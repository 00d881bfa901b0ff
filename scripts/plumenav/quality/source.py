"""Where the plume begins: the upstream end of the mean field, on its centreline.

A steady plume carries the same amount of odour through every section across the wind; upstream of
the source there is none. So the source lies where the mean field, added up across the wind, rises
to half of what it is a little farther down, and where the middle of the young plume, followed back,
meets that section.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

# the rise is compared with the middle of what the first part of the plume carries
YOUNG_SHARE = 0.35
RISE = 0.5
# sections that carry less than this share of the most are no part of the plume
LEAST_SHARE = 0.1
SECTIONS = 4


class Beginning(NamedTuple):
    """Estimated source.

    Attributes
    ----------
    row, column : float
        Pixels of the mean field.
    at_edge : bool
        The plume is already there at the image's edge: it begins there, or farther upstream.
    """

    row: float
    column: float
    at_edge: bool


def turned(field: np.ndarray, quarter_turns: int) -> np.ndarray:
    """Field turned counter-clockwise by quarter turns."""
    return np.rot90(field, quarter_turns)


def turned_back(
    row: float, column: float, height: int, width: int, quarter_turns: int
) -> tuple[float, float]:
    """Pixel of the field as it was, of a pixel of the turned one.

    Parameters
    ----------
    row, column : float
        In the turned field.
    height, width : int
        Of the field before it was turned.
    quarter_turns : int

    Examples
    --------
    >>> field = np.arange(6).reshape(2, 3)
    >>> bool(turned(field, 1)[2, 0] == field[0, 0]), turned_back(2, 0, 2, 3, 1)
    (True, (0.0, 0.0))
    """
    for turn in range(quarter_turns % 4, 0, -1):
        # the image that was turned last had its sides swapped an odd or even number of times
        before = width if turn % 2 else height
        row, column = column, before - 1 - row
    return float(row), float(column)


def beginning(field: np.ndarray, toward: tuple[float, float] = (0.0, 1.0)) -> Beginning | None:
    """Source of a mean field.

    Parameters
    ----------
    field : ndarray, shape (height, width)
        Mean concentration above clean air; what is not plume is 0.
    toward : tuple of float
        Direction of the wind, rows and columns; the nearest image axis is taken.

    Returns
    -------
    Beginning or None
        None if there is no plume.
    """
    turns = _turns(toward)
    image = turned(field, turns)
    carried = np.maximum(image, 0.0).sum(axis=0)
    if not carried.max() > 0:
        return None
    carried = np.convolve(np.pad(carried, 1, mode="edge"), np.ones(3) / 3, mode="valid")
    there = np.flatnonzero(carried >= LEAST_SHARE * carried.max())
    first, last = int(there[0]), int(there[-1])
    young = slice(first, first + max(SECTIONS, int(YOUNG_SHARE * (last - first + 1))))
    half = RISE * float(np.median(carried[young]))
    k = int(np.flatnonzero(carried[young] >= half)[0]) + first
    at_edge = k == 0
    column = float(k)
    if not at_edge and carried[k] > carried[k - 1]:
        column = k - float((carried[k] - half) / (carried[k] - carried[k - 1]))
    row = _centreline(image, k, young.stop, column)
    height, width = field.shape
    row, column = turned_back(row, column, height, width, turns)
    return Beginning(row, column, at_edge)


def _turns(toward: tuple[float, float]) -> int:
    """Quarter turns counter-clockwise that bring a direction nearest to +column."""
    angle = np.arctan2(-toward[0], toward[1])  # counter-clockwise as seen
    return int(-np.round(angle / (np.pi / 2))) % 4


def _centreline(image: np.ndarray, first: int, end: int, column: float) -> float:
    """Middle of the young plume, followed back to a section by a straight line."""
    columns = np.arange(first, min(end, image.shape[1]))
    middles = np.array([_middle(image[:, c]) for c in columns])
    known = np.isfinite(middles)
    if known.sum() < SECTIONS:
        return float(np.nanmedian(middles))
    _slope, offset = np.polyfit(columns[known] - column, middles[known], 1)
    return float(offset)


def _middle(section: np.ndarray) -> float:
    """Row with half of the odour of a section on either side; NaN if it has none.

    Only what is above a third of the highest counts, so that a haze beside the plume does not pull.
    """
    part = np.where(section >= section.max() / 3, np.maximum(section, 0.0), 0.0)
    total = part.sum()
    if not total > 0:
        return float("nan")
    below = np.concatenate([[0.0], np.cumsum(part)]) / total
    return float(np.interp(0.5, below, np.arange(len(below)) - 0.5))
