"""From the world to the pixels of the file that the recording will be."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from plumenav import world
from plumenav.recordings.synthesis._params import ImageParams

# Inverse of world.orient_pixel, for steps: (row, column) pixels per pixel of x and of y.
DIRECTIONS = {
    "+column": ((0, 1), (-1, 0)),
    "+row": ((1, 0), (0, 1)),
    "-column": ((0, -1), (1, 0)),
    "-row": ((-1, 0), (0, -1)),
}


class View(NamedTuple):
    """How the file's image looks at the world.

    Attributes
    ----------
    height_px, width_px : int
        Size of the file's image.
    mm_per_px : float
    source_row_px, source_column_px : float
        Pixel of the source in the file.
    wind_toward : {"+column", "-column", "+row", "-row"}
        Image direction that the wind blows to.
    mirrored : bool
        True if the camera sees the plume in a mirror: columns reversed.
    """

    height_px: int
    width_px: int
    mm_per_px: float
    source_row_px: float
    source_column_px: float
    wind_toward: str
    mirrored: bool


def view_of(params: ImageParams) -> View:
    """How the file's image looks at the world."""
    return View(
        params.height_px,
        params.width_px,
        params.mm_per_px,
        params.source_row_px,
        params.source_column_px,
        params.wind_toward,
        params.mirrored,
    )


def grid_of(view: View) -> world.Grid:
    """Grid of the image once world.orient_image has turned it downwind."""
    row, column = world.orient_pixel(
        view.source_row_px,
        view.source_column_px,
        view.height_px,
        view.width_px,
        view.wind_toward,
        view.mirrored,
    )
    turned = world.QUARTER_TURNS[view.wind_toward] % 2 == 1
    size = (view.width_px, view.height_px) if turned else (view.height_px, view.width_px)
    return world.Grid(*size, view.mm_per_px, row, column)


def file_pixels(x_mm: np.ndarray, y_mm: np.ndarray, view: View) -> tuple[np.ndarray, np.ndarray]:
    """Rows and columns in the file of points of the world (any shape).

    The inverse of world.orient_pixel followed by world's conversion to mm, for points.
    """
    (row_x, column_x), (row_y, column_y) = DIRECTIONS[view.wind_toward]
    x_px, y_px = x_mm / view.mm_per_px, y_mm / view.mm_per_px
    side = -1 if view.mirrored else 1
    row = view.source_row_px + row_x * x_px + row_y * y_px
    column = view.source_column_px + side * (column_x * x_px + column_y * y_px)
    return row, column


def world_of_pixels(view: View) -> tuple[np.ndarray, np.ndarray]:
    """x_mm and y_mm of the centres of all pixels of the file, each of shape (height, width).

    The inverse of :func:`file_pixels`.
    """
    (row_x, column_x), (row_y, column_y) = DIRECTIONS[view.wind_toward]
    side = -1 if view.mirrored else 1
    row, column = np.indices((view.height_px, view.width_px), float)
    down = row - view.source_row_px
    right = side * (column - view.source_column_px)
    return (
        (row_x * down + column_x * right) * view.mm_per_px,
        (row_y * down + column_y * right) * view.mm_per_px,
    )


def wind_in_file(speed_mm_s: float, toward_deg: float, view: View) -> tuple[float, float]:
    """Velocity in the file's image, pixels per second along rows (down) and columns (right)."""
    angle = np.deg2rad(toward_deg)
    x, y = speed_mm_s * np.cos(angle), speed_mm_s * np.sin(angle)
    still = view._replace(source_row_px=0.0, source_column_px=0.0)
    row, column = file_pixels(np.array(x), np.array(y), still)
    return float(row), float(column)
