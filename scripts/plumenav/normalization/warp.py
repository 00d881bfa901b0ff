"""Geometry that does not follow the pixels: any angle, and lenses, as one sparse matrix.

An output pixel is the mean of the image, interpolated bilinearly, at points spread evenly over the
pixel, no farther apart than the file's own pixels. The whole way (lens, unequal pixel edges, turn,
mirror, pixel size) is one matrix of weights, made once: a frame costs one sparse product.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from plumenav import world
from plumenav.normalization.blank import largest_rectangle
from plumenav.normalization.steps.lens import Optics, distort, undistort

# Points that are computed at once while the matrix is made (a few hundred bytes each).
POINTS_AT_ONCE = 200_000
# The usable rectangle is looked for on at most this many cells a side.
CELLS = 200
# The rectangle that holds the source is taken if it has this share of the largest one's area.
LEAST_SHARE = 0.6


class Pose(NamedTuple):
    """How the file's pixels lie in the plane that is seen.

    Attributes
    ----------
    view : plumenav.world.View
        The camera without its lens; its source is pixel (0, 0), the origin of the plane.
    lens : Optics
    """

    view: world.View
    lens: Optics

    def plane(self, row: Any, column: Any) -> tuple[np.ndarray, np.ndarray]:
        """Place (x, y), mm, of pixels of the file; the wind blows towards +x."""
        return world.world_of_file(*undistort(row, column, self.lens), self.view)

    def file(self, x_mm: Any, y_mm: Any) -> tuple[np.ndarray, np.ndarray]:
        """Inverse of :meth:`plane`: (row, column) in the file."""
        return distort(*world.file_of_world(x_mm, y_mm, self.view), self.lens)


class Rectangle(NamedTuple):
    """The part of the plane that becomes the plume: upper left corner (mm) and size (pixels)."""

    x_mm: float
    y_mm: float
    height: int
    width: int


def _rim(window: tuple[int, ...]) -> tuple[np.ndarray, np.ndarray]:
    """Points on the outer edges of a window of pixels, (row, column)."""
    r0, r1, c0, c1 = window
    rows, columns = np.arange(r0, r1 + 1) - 0.5, np.arange(c0, c1 + 1) - 0.5
    ends = [np.full(len(columns), value) for value in (rows[0], rows[-1])]
    sides = [np.full(len(rows), value) for value in (columns[0], columns[-1])]
    return np.concatenate([*ends, rows, rows]), np.concatenate([columns, columns, *sides])


def usable(
    pose: Pose, window: tuple[int, ...], mm_per_px: float, source_mm: tuple[float, float]
) -> Rectangle | None:
    """Largest upright rectangle of whole output pixels that lie inside the window.

    (A pixel that is partly outside the recording would hold a made-up number.) It holds the
    source, if that costs no more than 40 % of the largest one.

    Parameters
    ----------
    pose : Pose
    window : tuple of int
        (row_start, row_stop, column_start, column_stop) of the file.
    mm_per_px : float
        Edge of an output pixel.
    source_mm : tuple of float
        Place of the source in the plane.

    Returns
    -------
    Rectangle or None
        None if not one pixel fits.
    """
    x, y = pose.plane(*_rim(window))
    left, top = float(x.min()), float(y.max())
    width = int((x.max() - left) / mm_per_px)
    height = int((top - y.min()) / mm_per_px)
    block = max(1, -(-max(width, height) // CELLS))
    edge = block * mm_per_px
    corner_x = left + np.arange(width // block + 1) * edge
    corner_y = top - np.arange(height // block + 1) * edge
    row, column = pose.file(corner_x[None, :], corner_y[:, None])
    r0, r1, c0, c1 = window
    slack = 1e-6  # rounding of the way there and back
    inside = (row >= r0 - 0.5 - slack) & (row <= r1 - 0.5 + slack)
    inside &= (column >= c0 - 0.5 - slack) & (column <= c1 - 0.5 + slack)
    cells = inside[:-1, :-1] & inside[1:, :-1] & inside[:-1, 1:] & inside[1:, 1:]
    found = largest_rectangle(cells) if cells.size else None
    if found is None:
        return None
    at = (math.floor((top - source_mm[1]) / edge), math.floor((source_mm[0] - left) / edge))
    holding = largest_holding(cells, *at)
    if holding is not None and _area(holding) >= LEAST_SHARE * _area(found):
        found = holding
    i0, i1, j0, j1 = (k * block for k in found)
    return Rectangle(left + j0 * mm_per_px, top - i0 * mm_per_px, i1 - i0, j1 - j0)


def _area(cells: tuple[int, ...]) -> int:
    return (cells[1] - cells[0]) * (cells[3] - cells[2])


def largest_holding(cells: np.ndarray, row: int, column: int) -> tuple[int, int, int, int] | None:
    """Largest rectangle of true cells that holds one of them.

    Parameters
    ----------
    cells : ndarray, shape (rows, columns), bool
    row, column : int
        That cell; it may lie outside.

    Returns
    -------
    tuple of int, or None
        (row_start, row_stop, column_start, column_stop); None if the cell is not true.

    Examples
    --------
    >>> largest_holding(np.array([[1, 1, 1], [0, 1, 1], [1, 1, 1]], bool), 0, 0)
    (0, 1, 0, 3)
    """
    height, width = cells.shape
    if not (0 <= row < height and 0 <= column < width and cells[row, column]):
        return None
    # how far each row reaches from the column, and what is left of that over several rows
    false_left = np.where(cells[:, : column + 1], -1, np.arange(column + 1)).max(axis=1)
    false_right = np.where(cells[:, column:], width, np.arange(column, width)).min(axis=1)
    best = (row, row + 1, int(false_left[row]) + 1, int(false_right[row]))
    for top in range(row, -1, -1):
        if not cells[top, column]:
            break
        left = int(false_left[top : row + 1].max()) + 1
        right = int(false_right[top : row + 1].min())
        for bottom in range(row, height):
            if not cells[bottom, column]:
                break
            left = max(left, int(false_left[bottom]) + 1)
            right = min(right, int(false_right[bottom]))
            candidate = (top, bottom + 1, left, right)
            if _area(candidate) > _area(best):
                best = candidate
    return best


def matrix(
    pose: Pose, window: tuple[int, ...], part: Rectangle, mm_per_px: float, work: np.dtype
) -> Any:
    """Weights of the window's pixels in the plume's pixels.

    Parameters
    ----------
    pose : Pose
    window : tuple of int
    part : Rectangle
    mm_per_px : float
    work : dtype
        Type of the weights.

    Returns
    -------
    scipy.sparse.csr_array, shape (part.height * part.width, pixels of the window)
        Rows sum to 1.
    """
    from scipy import sparse

    finest = min(pose.view.row_mm, pose.view.column_mm)
    n = max(1, math.ceil(mm_per_px / finest - 1e-9))  # points per pixel edge
    offset = (np.arange(n) + 0.5) / n
    x = part.x_mm + (np.arange(part.width)[:, None] + offset) * mm_per_px
    strips = []
    rows_at_once = max(1, POINTS_AT_ONCE // (part.width * n * n))
    for first in range(0, part.height, rows_at_once):
        rows = np.arange(first, min(part.height, first + rows_at_once))
        y = part.y_mm - (rows[:, None] + offset) * mm_per_px
        # axes: row, point down, column, point across
        shape = (len(rows), n, part.width, n)
        row, column = pose.file(x[None, None], y[:, :, None, None])
        number = np.arange(len(rows) * part.width).reshape(len(rows), 1, part.width, 1)
        pixel = np.broadcast_to(number, shape).ravel()
        source, weight = _bilinear(
            np.broadcast_to(row, shape).ravel(), np.broadcast_to(column, shape).ravel(), window
        )
        size = (len(rows) * part.width, (window[1] - window[0]) * (window[3] - window[2]))
        triplets = (weight.ravel() / n**2, (np.tile(pixel, 4), source.ravel()))
        strips.append(sparse.csr_array(triplets, shape=size).astype(work))
    return sparse.vstack(strips, format="csr")


def _bilinear(
    row: np.ndarray, column: np.ndarray, window: tuple[int, ...]
) -> tuple[np.ndarray, np.ndarray]:
    """The four pixels of the window around points and their weights, shape (4, n)."""
    r0, r1, c0, c1 = window
    height, width = r1 - r0, c1 - c0
    row = np.clip(row - r0, 0, height - 1)
    column = np.clip(column - c0, 0, width - 1)
    top, left = np.floor(row).astype(np.int64), np.floor(column).astype(np.int64)
    bottom, right = np.minimum(top + 1, height - 1), np.minimum(left + 1, width - 1)
    down, across = row - top, column - left
    source = [
        top * width + left,
        top * width + right,
        bottom * width + left,
        bottom * width + right,
    ]
    weight = [
        (1 - down) * (1 - across),
        (1 - down) * across,
        down * (1 - across),
        down * across,
    ]
    return np.stack(source), np.stack(weight)
