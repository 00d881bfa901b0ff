"""Blank air: a rectangle of the plume's image that the plume never enters.

A rectangle is looked for on a grid of cells. A cell is blank if, over *all* frames,

* no pixel ever exceeds its own mean by more than Gaussian noise would in that many samples,
* its standard deviation is that of noise (at most 1.5 times the camera's),
* its mean is that of the other such cells (a steady haze is not blank air).

The camera's noise is taken from the quietest tenth of the cells; where that is far more than what
changes from one frame to the next, even the quietest cells see the plume, and the change is taken.
Steps of the stored numbers, and a thousandth of the source, are tolerated. The largest rectangle of
blank cells wins.
"""

from __future__ import annotations

from statistics import NormalDist
from typing import NamedTuple

import numpy as np

from plumenav.config.normalization import Blank
from plumenav.errors import UserError
from plumenav.normalization.statistics import QUIET, Maps

CELL_PX = 8
CELLS_ACROSS = 16  # small images: smaller cells, about this many along the shorter side
SMALLEST_PX = 4
NEGLIGIBLE = 1e-3
SD_FACTOR = 1.5
CHANGE_FACTOR = 3.0
FALSE_ALARM = 0.01  # chance that noise alone exceeds the limit anywhere in the movie


class Rectangle(NamedTuple):
    """[start, stop) rows and columns."""

    row_start: int
    row_stop: int
    column_start: int
    column_stop: int


def largest_rectangle(blank: np.ndarray) -> tuple[int, int, int, int] | None:
    """Largest rectangle of true cells.

    Parameters
    ----------
    blank : ndarray, shape (rows, columns), bool

    Returns
    -------
    tuple of int, or None
        (row_start, row_stop, column_start, column_stop); of equally large ones the topmost, then
        the leftmost; None if no cell is true.

    Examples
    --------
    >>> largest_rectangle(np.array([[1, 0, 1], [0, 1, 1], [1, 1, 1]], bool))
    (1, 3, 1, 3)
    """
    best, found = 0, None
    heights = np.zeros(blank.shape[1], int)
    for row, cells in enumerate(blank):
        heights = np.where(cells, heights + 1, 0)
        stack: list[tuple[int, int]] = []  # (start column, height), heights rising
        for column, height in enumerate([*heights.tolist(), 0]):
            start = column
            while stack and stack[-1][1] >= height:
                start, high = stack.pop()
                area = high * (column - start)
                if area > best:
                    best, found = area, (row + 1 - high, row + 1, start, column)
            stack.append((start, height))
    return found


def _edges(size: int, declared: tuple[int, int] | None, cell: int) -> np.ndarray:
    """Edges of the cells along one axis: the declared range is one cell."""
    if declared is not None:
        return np.array(declared)
    return np.arange(0, size // cell + 1) * cell


def _cells(image: np.ndarray, rows: np.ndarray, columns: np.ndarray, how: np.ufunc) -> np.ndarray:
    """A ufunc reduced over each cell."""
    part = image[rows[0] : rows[-1], columns[0] : columns[-1]]
    down = how.reduceat(part, rows[:-1] - rows[0], axis=0)
    return np.asarray(how.reduceat(down, columns[:-1] - columns[0], axis=1))


def blank_cells(
    maps: Maps,
    change_sd: float | None,
    step: float,
    rows: np.ndarray,
    columns: np.ndarray,
    recorded: np.ndarray | None = None,
) -> np.ndarray:
    """Cells whose values over all frames are those of noise.

    Parameters
    ----------
    maps : Maps
        Over all frames.
    change_sd : float or None
        Noise as seen between neighbouring frames; None if unknown.
    step : float
        Concentration of one stored step (0 for floats).
    rows, columns : ndarray
        Edges of the cells, pixels.
    recorded : ndarray, shape (height, width), bool, or None
        Pixels that show what was recorded; those of a mask do not, and are not blank air.

    Returns
    -------
    ndarray, shape (len(rows) - 1, len(columns) - 1), bool
    """
    tolerated = max(step, NEGLIGIBLE)
    size = np.diff(rows)[:, None] * np.diff(columns)
    sd = np.sqrt(_cells(maps.sd**2, rows, columns, np.add) / size)
    mean = _cells(maps.mean, rows, columns, np.add) / size
    peak = _cells(maps.largest - maps.mean, rows, columns, np.maximum)
    seen = np.ones(sd.shape, bool)
    if recorded is not None:
        seen = _cells(recorded, rows, columns, np.logical_and)
        if not seen.any():
            return seen
    noise = float(np.percentile(sd[seen], QUIET))
    # no change at all means that the recording's own steps hide its noise: then it says nothing
    if change_sd and noise > CHANGE_FACTOR * change_sd + tolerated:
        noise = change_sd
    sigmas = NormalDist().inv_cdf(1.0 - FALSE_ALARM / max(1e3, maps.n * maps.mean.size))
    quiet = (peak <= sigmas * noise + tolerated) & (sd <= SD_FACTOR * noise + tolerated) & seen
    if not quiet.any():
        return np.asarray(quiet)
    level = float(np.median(mean[quiet]))
    return np.asarray(quiet & (np.abs(mean - level) <= noise + tolerated))


def _check_declared(
    declared: tuple[int, int] | None, size: int, key: str, where: str
) -> tuple[int, int] | None:
    if declared is not None and declared[1] > size:
        raise UserError(
            f"{where}.{key}",
            f"[{declared[0]}, {declared[1]})",
            f"within [0, {size}) of the normalized plume",
        )
    return declared


def find(
    settings: Blank,
    maps: Maps,
    change_sd: float | None,
    step: float,
    where: str,
    recorded: np.ndarray | None = None,
) -> tuple[Rectangle | None, str]:
    """The blank rectangle: declared, or found.

    Parameters
    ----------
    settings : Blank
        What is declared; a declared range is kept, and the other one looked for.
    maps : Maps
        Over all frames.
    change_sd : float or None
        Noise as seen between neighbouring frames; None if unknown.
    step : float
        Concentration of one stored step (0 for floats).
    where : str
        Config key, for messages.
    recorded : ndarray, shape (height, width), bool, or None
        Pixels that a mask leaves as they are.

    Returns
    -------
    Rectangle or None
    str
        How it was found, or why not.

    Raises
    ------
    UserError
        If a declared range is outside the plume.
    """
    height, width = maps.mean.shape
    rows = _check_declared(settings.rows, height, "rows", where)
    columns = _check_declared(settings.columns, width, "columns", where)
    if rows is not None and columns is not None:
        return Rectangle(*rows, *columns), "declared"
    cell = int(np.clip(min(height, width) // CELLS_ACROSS, 1, CELL_PX))
    row_edges, column_edges = _edges(height, rows, cell), _edges(width, columns, cell)
    free = blank_cells(maps, change_sd, step, row_edges, column_edges, recorded)
    cells = largest_rectangle(free)
    if cells is None:
        return None, f"no cell of {cell} x {cell} pixels stays within the noise in all frames"
    found = Rectangle(
        int(row_edges[cells[0]]),
        int(row_edges[cells[1]]),
        int(column_edges[cells[2]]),
        int(column_edges[cells[3]]),
    )
    if min(found.row_stop - found.row_start, found.column_stop - found.column_start) < SMALLEST_PX:
        return None, f"the largest blank rectangle is smaller than {SMALLEST_PX} x {SMALLEST_PX}"
    return found, f"largest rectangle of cells of {cell} x {cell} pixels within the noise"
