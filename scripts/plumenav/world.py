"""Pixels and millimetres: the only place that converts between them.

World frame: x downwind, y crosswind (+y to the left when looking downwind), origin at the odour
source, millimetres. A normalized plume image is a (row, column) array whose columns run downwind;
row 0 is at the top, so +y is towards smaller rows. Integer pixel coordinates are pixel centres.

Everything here is plain Python on scalars (compiled by the engine) or on arrays.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np


class Grid(NamedTuple):
    """Where the pixels of a normalized plume lie in the world.

    Attributes
    ----------
    height, width : int
        Rows (crosswind) and columns (downwind).
    mm_per_px : float
        Edge of the square pixel, mm.
    source_row, source_column : float
        Pixel coordinates of the odour source; may lie outside the image.
    """

    height: int
    width: int
    mm_per_px: float
    source_row: float
    source_column: float


def grid_of(metadata: Mapping[str, Any]) -> Grid:
    """Grid of a plume, from the metadata of its file."""
    return Grid(
        int(metadata["height"]),
        int(metadata["width"]),
        float(metadata["mm_per_px"]),
        float(metadata["source_row"]),
        float(metadata["source_column"]),
    )


def column_of_x(x_mm: float, grid: Grid) -> float:
    """Column coordinate of a downwind position (mm)."""
    return x_mm / grid.mm_per_px + grid.source_column


def row_of_y(y_mm: float, grid: Grid) -> float:
    """Row coordinate of a crosswind position (mm)."""
    return grid.source_row - y_mm / grid.mm_per_px


def x_of_column(column: float, grid: Grid) -> float:
    """Downwind position (mm) of a column coordinate."""
    return (column - grid.source_column) * grid.mm_per_px


def y_of_row(row: float, grid: Grid) -> float:
    """Crosswind position (mm) of a row coordinate."""
    return (grid.source_row - row) * grid.mm_per_px


def extent_mm(grid: Grid) -> tuple[float, float, float, float]:
    """Outer edges of the image: (x_min, x_max, y_min, y_max) in mm.

    Examples
    --------
    >>> extent_mm(Grid(2, 4, 1.0, 0.5, 0.0))
    (-0.5, 3.5, -1.0, 1.0)
    """
    return (
        x_of_column(-0.5, grid),
        x_of_column(grid.width - 0.5, grid),
        y_of_row(grid.height - 0.5, grid),
        y_of_row(-0.5, grid),
    )


# Image directions as angles, degrees counter-clockwise from +column as the image is seen.
IMAGE_ANGLES_DEG = {"+column": 0.0, "-row": 90.0, "-column": 180.0, "+row": -90.0}


def image_direction(angle_deg: float) -> str | None:
    """Name of an image direction given as an angle; None if it is not along the image's axes.

    Examples
    --------
    >>> image_direction(-90), image_direction(450), image_direction(12.5)
    ('+row', '-row', None)
    """
    wrapped = (angle_deg + 180.0) % 360.0 - 180.0
    names = {angle % 360.0: name for name, angle in IMAGE_ANGLES_DEG.items()}
    return names.get(wrapped % 360.0)


# Quarter turns (counter-clockwise, as np.rot90 counts them) that bring an image whose wind blows
# towards the named image direction to wind towards +column.
QUARTER_TURNS = {"+column": 0, "+row": 1, "-column": 2, "-row": 3}


def orient_image(frames: np.ndarray, wind_toward: str, mirrored: bool = False) -> np.ndarray:
    """Turn images so that the wind blows towards +column.

    Parameters
    ----------
    frames : ndarray, shape (..., height, width)
        Images as they are in the file.
    wind_toward : {"+column", "-column", "+row", "-row"}
        Image direction towards which the wind blows.
    mirrored : bool
        True if the camera saw the plume in a mirror or from below: the file's columns are reversed
        first.

    Returns
    -------
    ndarray
        A view, rotated; never transposed, because a transposition would mirror the plume.
    """
    if mirrored:
        frames = frames[..., ::-1]
    return np.rot90(frames, QUARTER_TURNS[wind_toward], axes=(-2, -1))


def unorient_image(frames: np.ndarray, wind_toward: str, mirrored: bool = False) -> np.ndarray:
    """Inverse of :func:`orient_image`: from wind towards +column back to the file (a view)."""
    frames = np.rot90(frames, -QUARTER_TURNS[wind_toward], axes=(-2, -1))
    return frames[..., ::-1] if mirrored else frames


def orient_pixel(
    row: float, column: float, height: int, width: int, wind_toward: str, mirrored: bool = False
) -> tuple[float, float]:
    """Follow one pixel coordinate of the file through :func:`orient_image`.

    Examples
    --------
    The standard PLIF array: 406 rows downwind, 216 columns, source at (0, 107).

    >>> orient_pixel(0, 107, 406, 216, "+row")
    (108, 0)
    """
    if mirrored:
        column = width - 1 - column
    for _ in range(QUARTER_TURNS[wind_toward]):
        row, column = width - 1 - column, row
        height, width = width, height
    return row, column


class View(NamedTuple):
    """How a camera sees the world: what takes millimetres to the file's own pixels, and back.

    (An ideal camera: a lens is undone elsewhere.)

    Attributes
    ----------
    row_mm, column_mm : float
        From one row, and one column, to the next.
    source_row, source_column : float
        The source in the file's image.
    wind_toward : str or float
        As in :func:`orient_image`, or an angle in degrees, counter-clockwise from +column as the
        image is seen.
    mirrored : bool
    """

    row_mm: float
    column_mm: float
    source_row: float
    source_column: float
    wind_toward: str | float
    mirrored: bool = False


def _downwind(view: View) -> tuple[float, float]:
    """Unit vector (right, up) of the wind in the image, a mirror undone."""
    if isinstance(view.wind_toward, str):
        # a quarter turn counter-clockwise brings +row (down) to +column (right)
        right_up = ((1.0, 0.0), (0.0, -1.0), (-1.0, 0.0), (0.0, 1.0))
        return right_up[QUARTER_TURNS[view.wind_toward]]
    angle = np.deg2rad(view.wind_toward)
    return float(np.cos(angle)), float(np.sin(angle))


def world_of_file(row: Any, column: Any, view: View) -> tuple[Any, Any]:
    """World position (x, y), mm, of pixels (row, column) of the file.

    Examples
    --------
    Wind from top to bottom: what lies left in the image lies on the right hand, at negative y.

    >>> world_of_file(30, 90, View(0.5, 0.5, 10, 100, "+row"))
    (10.0, -5.0)
    """
    cos, sin = _downwind(view)
    right = (column - view.source_column) * view.column_mm * (-1.0 if view.mirrored else 1.0)
    up = (view.source_row - row) * view.row_mm
    return right * cos + up * sin, up * cos - right * sin


def file_of_world(x_mm: Any, y_mm: Any, view: View) -> tuple[Any, Any]:
    """Pixel (row, column) of the file of world positions: the inverse of :func:`world_of_file`.

    Examples
    --------
    >>> file_of_world(10.0, -5.0, View(0.5, 0.5, 10, 100, "+row"))
    (30.0, 90.0)
    """
    cos, sin = _downwind(view)
    right, up = x_mm * cos - y_mm * sin, x_mm * sin + y_mm * cos
    column = view.source_column + right / view.column_mm * (-1.0 if view.mirrored else 1.0)
    return view.source_row - up / view.row_mm, column


def movie_window(frames: int, part: str) -> tuple[int, int]:
    """Frames [first, end) of a part of a movie.

    Parameters
    ----------
    frames : int
        Of the whole movie.
    part : {"whole", "first_half", "second_half"}

    Examples
    --------
    >>> movie_window(7, "first_half"), movie_window(7, "second_half")
    ((0, 3), (3, 7))
    """
    half = frames // 2
    return {"whole": (0, frames), "first_half": (0, half), "second_half": (half, frames)}[part]
