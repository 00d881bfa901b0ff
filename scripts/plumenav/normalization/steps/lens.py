"""Lens: undo radial and tangential distortion (Brown-Conrady, the model of OpenCV's calibration).

With x, y the coordinates of an undistorted point in focal lengths from the optical axis, and
r**2 = x**2 + y**2, the camera sees it at

    x' = x (1 + k1 r**2 + k2 r**4 + k3 r**6) + 2 p1 x y + p2 (r**2 + 2 x**2)
    y' = y (1 + k1 r**2 + k2 r**4 + k3 r**6) + p1 (r**2 + 2 y**2) + 2 p2 x y

Source: Brown 1971, Photogrammetric Engineering 37:855-866; OpenCV, camera calibration.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from plumenav.config.normalization import Lens
from plumenav.errors import UserError

STEPS = 50
CLOSE_PX = 1e-6


class Optics(NamedTuple):
    """A lens with its axis spelled out, in pixels of the file; `focal_px` None: no distortion."""

    focal_px: float | None
    centre_row_px: float
    centre_column_px: float
    k1: float
    k2: float
    k3: float
    p1: float
    p2: float


def optics(lens: Lens, height: int, width: int) -> Optics:
    """The lens of an image of that size; its axis is the image's middle unless said otherwise."""
    row, column = lens.centre_row_px, lens.centre_column_px
    return Optics(
        lens.focal_px,
        (height - 1) / 2 if row is None else row,
        (width - 1) / 2 if column is None else column,
        *(lens.k1, lens.k2, lens.k3, lens.p1, lens.p2),
    )


def distort(row: np.ndarray, column: np.ndarray, lens: Optics) -> tuple[np.ndarray, np.ndarray]:
    """Where the camera sees undistorted points (rows and columns in pixels, any shape)."""
    if lens.focal_px is None:
        return row, column
    x = (column - lens.centre_column_px) / lens.focal_px
    y = (row - lens.centre_row_px) / lens.focal_px
    r2 = x * x + y * y
    radial = 1 + r2 * (lens.k1 + r2 * (lens.k2 + r2 * lens.k3))
    seen_x = x * radial + 2 * lens.p1 * x * y + lens.p2 * (r2 + 2 * x * x)
    seen_y = y * radial + lens.p1 * (r2 + 2 * y * y) + 2 * lens.p2 * x * y
    return (
        seen_y * lens.focal_px + lens.centre_row_px,
        seen_x * lens.focal_px + lens.centre_column_px,
    )


def undistort(
    row: np.ndarray, column: np.ndarray, lens: Optics, where: str = "normalize.lens"
) -> tuple[np.ndarray, np.ndarray]:
    """Inverse of :func:`distort`, by fixed-point iteration to a millionth of a pixel.

    Raises
    ------
    UserError
        If the lens has no inverse in the image (coefficients too large).
    """
    seen_row, seen_column = np.asarray(row, np.float64), np.asarray(column, np.float64)
    true_row, true_column = seen_row, seen_column
    with np.errstate(over="ignore", invalid="ignore"):  # where there is no inverse, it runs away
        for _ in range(STEPS):
            again_row, again_column = distort(true_row, true_column, lens)
            miss_row, miss_column = seen_row - again_row, seen_column - again_column
            if max(np.abs(miss_row).max(), np.abs(miss_column).max()) < CLOSE_PX:
                return true_row, true_column
            true_row, true_column = true_row + miss_row, true_column + miss_column
    raise UserError(
        where,
        "a distortion that cannot be undone everywhere in the image",
        "coefficients as a camera calibration gives them (lengths in units of focal_px)",
        "Check focal_px and k1, k2, k3, p1, p2.",
    )


def plain(row: np.ndarray, column: np.ndarray, lens: Lens, height: int, width: int) -> np.ndarray:
    """Undistorted (row, column) of pixels of an image of that size, shape (2, ...)."""
    return np.stack(undistort(row, column, optics(lens, height, width)))
