"""Geometry that does not follow the pixels: any angle, and lenses, as one sparse matrix.

An output pixel is the mean of the image, interpolated bilinearly, at points spread evenly over the
pixel, no farther apart than the file's own pixels. The whole way (lens, unequal pixel edges, turn,
mirror, pixel size) is one matrix of weights, made once: a frame costs one sparse product.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from plumenav.normalization.blank import largest_rectangle
from plumenav.normalization.steps.lens import Optics, distort, undistort

# Points that are computed at once while the matrix is made (a few hundred bytes each).
POINTS_AT_ONCE = 200_000
# The usable rectangle is looked for on at most this many cells a side.
CELLS = 200


class Pose(NamedTuple):
    """How the file's pixels lie in the plane that is seen, turned so that the wind blows to +x.

    Attributes
    ----------
    row_mm, column_mm : float
        Edges of a pixel.
    angle_rad : float
        Direction of the wind in the (unmirrored) image, counter-clockwise from +column.
    mirrored : bool
        True: the file's columns run backwards.
    lens : Optics
    """

    row_mm: float
    column_mm: float
    angle_rad: float
    mirrored: bool
    lens: Optics

    def plane(self, row: Any, column: Any) -> tuple[np.ndarray, np.ndarray]:
        """Place (x, y) in mm of pixels of the file; the origin is pixel (0, 0) without a lens."""
        row, column = undistort(row, column, self.lens)
        right = column * self.column_mm * (-1.0 if self.mirrored else 1.0)
        up = -row * self.row_mm
        cos, sin = math.cos(self.angle_rad), math.sin(self.angle_rad)
        return right * cos + up * sin, up * cos - right * sin

    def file(self, x_mm: Any, y_mm: Any) -> tuple[np.ndarray, np.ndarray]:
        """Inverse of :meth:`plane`: (row, column) in the file."""
        cos, sin = math.cos(self.angle_rad), math.sin(self.angle_rad)
        right, up = x_mm * cos - y_mm * sin, x_mm * sin + y_mm * cos
        column = right / self.column_mm * (-1.0 if self.mirrored else 1.0)
        return distort(-up / self.row_mm, column, self.lens)


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


def usable(pose: Pose, window: tuple[int, ...], mm_per_px: float) -> Rectangle | None:
    """Largest upright rectangle of whole output pixels that lie inside the window.

    (A pixel that is partly outside the recording would hold a made-up number.)

    Parameters
    ----------
    pose : Pose
    window : tuple of int
        (row_start, row_stop, column_start, column_stop) of the file.
    mm_per_px : float
        Edge of an output pixel.

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
    corner_x = left + np.arange(width // block + 1) * block * mm_per_px
    corner_y = top - np.arange(height // block + 1) * block * mm_per_px
    row, column = pose.file(corner_x[None, :], corner_y[:, None])
    r0, r1, c0, c1 = window
    slack = 1e-6  # rounding of the way there and back
    inside = (row >= r0 - 0.5 - slack) & (row <= r1 - 0.5 + slack)
    inside &= (column >= c0 - 0.5 - slack) & (column <= c1 - 0.5 + slack)
    cells = inside[:-1, :-1] & inside[1:, :-1] & inside[:-1, 1:] & inside[1:, 1:]
    found = largest_rectangle(cells) if cells.size else None
    if found is None:
        return None
    i0, i1, j0, j1 = (k * block for k in found)
    return Rectangle(left + j0 * mm_per_px, top - i0 * mm_per_px, i1 - i0, j1 - j0)


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

    finest = min(pose.row_mm, pose.column_mm)
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
