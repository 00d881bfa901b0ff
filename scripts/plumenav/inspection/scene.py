"""What is drawn on a recording: every mark in the file's pixels and in the world's millimetres.

What is declared in the file (crop, mask) is taken to the world, what is declared in the world
(start region, success circle) is taken to the file, by the two functions of
:class:`plumenav.world.View`.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from plumenav import world
from plumenav.config.recordings import PixelSize, Recording
from plumenav.inspection.look import Look
from plumenav.starts._contract import rectangle, start_plugin

CIRCLE_POINTS = 181
ARROW_SHARE = 0.22  # of the image's diagonal
START_GRID = 41
FEW = 0.3  # share of the image downwind of the source that is worth a word
UPWIND = 0.6  # share of the change that lies upwind of the source
LIVELY = 0.2  # of the largest change, above the median one: what counts as plume


class Mark(NamedTuple):
    """A line on the picture.

    Attributes
    ----------
    name : str
        What it is; keys of the drawing's styles.
    row, column : ndarray
        In the file's image.
    x_mm, y_mm : ndarray
        In the world.
    """

    name: str
    row: np.ndarray
    column: np.ndarray
    x_mm: np.ndarray
    y_mm: np.ndarray


class Scene(NamedTuple):
    """Everything that is drawn.

    Attributes
    ----------
    image : ndarray, shape (height, width)
        As in the file.
    what : str
        Which picture it is.
    view : plumenav.world.View
    grid : plumenav.world.Grid
        Of the normalized plume.
    marks : list of Mark
    warnings : list of str
    """

    image: np.ndarray
    what: str
    view: world.View
    grid: world.Grid
    marks: list[Mark]
    warnings: list[str]


def view_of(recording: Recording) -> world.View:
    """How the recording's camera sees the world."""
    size = recording.mm_per_px
    edges = (size.row, size.column) if isinstance(size, PixelSize) else (size, size)
    source = recording.source_px
    return world.View(*edges, source.row, source.column, recording.wind_toward, recording.mirrored)


def _filled(corners: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Closed outline with 20 points a side: a straight side stays one in every view."""
    first, last = corners[:-1, None, :], corners[1:, None, :]
    points = (first + (last - first) * np.linspace(0.0, 1.0, 21)[:, None]).reshape(-1, 2)
    return points[:, 0], points[:, 1]


def _rectangle(a0: float, a1: float, b0: float, b1: float) -> tuple[np.ndarray, np.ndarray]:
    return _filled(rectangle((a0, a1), (b0, b1)))


def _of_file(name: str, view: world.View, row: Any, column: Any) -> Mark:
    row, column = np.asarray(row, float), np.asarray(column, float)
    return Mark(name, row, column, *world.world_of_file(row, column, view))


def _of_world(name: str, view: world.View, x_mm: Any, y_mm: Any) -> Mark:
    x_mm, y_mm = np.asarray(x_mm, float), np.asarray(y_mm, float)
    return Mark(name, *world.file_of_world(x_mm, y_mm, view), x_mm, y_mm)


def _window(name: str, view: world.View, rows: Any, columns: Any, shape: Any) -> list[Mark]:
    """Outer edges of [first, end) rows and columns of the file; none if both are missing."""
    if rows is None and columns is None:
        return []
    r0, r1 = rows or (0, shape[0])
    c0, c1 = columns or (0, shape[1])
    return [_of_file(name, view, *_rectangle(r0 - 0.5, r1 - 0.5, c0 - 0.5, c1 - 0.5))]


def marks_of(
    recording: Recording,
    simulation: dict[str, Any],
    view: world.View,
    grid: world.Grid,
    shape: tuple[int, ...],
) -> list[Mark]:
    """Lines to draw, the later ones above the earlier ones.

    Parameters
    ----------
    recording : Recording
    simulation : dict
        Section `simulation` of the config.
    view : plumenav.world.View
    grid : plumenav.world.Grid
        Of the normalized plume.
    shape : tuple of int
        Height and width of the file's image.
    """
    steps = recording.normalize
    x0, x1, y0, y1 = world.extent_mm(grid)
    marks = [_of_world("plume", view, *_rectangle(x0, x1, y0, y1))]
    marks += _window("crop", view, steps.crop.rows, steps.crop.columns, shape)
    if steps.mask.polygon:
        corners = np.array([*steps.mask.polygon, steps.mask.polygon[0]])
        marks.append(_of_file("mask", view, corners[:, 0], corners[:, 1]))
    blank = steps.blank
    if blank.rows is not None or blank.columns is not None:
        rows, columns = blank.rows or (0, grid.height), blank.columns or (0, grid.width)
        ends_x = [world.x_of_column(column - 0.5, grid) for column in columns]
        ends_y = [world.y_of_row(row - 0.5, grid) for row in rows]
        marks.append(_of_world("blank", view, *_rectangle(*ends_x, *ends_y)))
    floor, calibration = steps.noise_floor, steps.calibration
    marks += _window("clean air", view, floor.rows, floor.columns, shape)
    marks += _window("source region", view, calibration.rows, calibration.columns, shape)
    start, radius = simulation["start"], simulation["success_radius_mm"]
    plugin, params = start_plugin(start)
    marks.append(_of_world("start", view, *_filled(plugin.outline(params))))
    turn = np.linspace(0.0, 2 * np.pi, CIRCLE_POINTS)
    marks.append(_of_world("success", view, radius * np.cos(turn), radius * np.sin(turn)))
    return marks


def arrow_of(recording: Recording, view: world.View, shape: tuple[int, ...]) -> Mark:
    """The wind, from the source or, where that is outside the image, from the image's middle."""
    height, width = shape
    row, column = view.source_row, view.source_column
    if not (-0.5 <= row <= height - 0.5 and -0.5 <= column <= width - 0.5):
        row, column = (height - 1) / 2, (width - 1) / 2
    x, y = world.world_of_file(row, column, view)
    length = ARROW_SHARE * float(np.hypot(height * view.row_mm, width * view.column_mm))
    toward = np.deg2rad(recording.wind.toward_deg)
    ends = (np.array([0.0, length * np.cos(toward)]), np.array([0.0, length * np.sin(toward)]))
    return _of_world("wind", view, x + ends[0], y + ends[1])


def inside(row: Any, column: Any, shape: tuple[int, ...]) -> np.ndarray:
    """Which points of the file lie on its image, up to the outer edges of its pixels."""
    row, column = np.asarray(row), np.asarray(column)
    down = (row >= -0.5) & (row <= shape[0] - 0.5)
    return np.asarray(down & (column >= -0.5) & (column <= shape[1] - 0.5))


def start_inside(simulation: dict[str, Any], grid: world.Grid) -> float:
    """Share of the starts that lies within the normalized plume."""
    plugin, params = start_plugin(simulation["start"])
    u = (np.arange(START_GRID) + 0.5) / START_GRID
    both = np.column_stack([np.tile(u, START_GRID), np.repeat(u, START_GRID)])
    x, y = plugin.places(params, np.arange(len(both)), both)
    x0, x1, y0, y1 = world.extent_mm(grid)
    return float(((x >= x0) & (x <= x1) & (y >= y0) & (y <= y1)).mean())


def upwind_share(look: Look, view: world.View) -> float | None:
    """Share of what changes in the movie that lies upwind of the source; None if nothing does."""
    lively = look.activity - np.median(look.activity)
    lively = np.where(lively > LIVELY * lively.max(), lively, 0.0)
    if lively.sum() <= 0:
        return None
    middle = (look.shrink - 1) / 2
    rows, columns = (np.arange(n) * look.shrink + middle for n in lively.shape)
    x, _ = world.world_of_file(rows[:, None], columns[None, :], view)
    return float(lively[x < 0].sum() / lively.sum())


def warnings_of(
    recording: Recording,
    simulation: dict[str, Any],
    view: world.View,
    grid: world.Grid,
    look: Look,
) -> list[str]:
    """What looks wrong, in words.

    Parameters
    ----------
    recording : Recording
    simulation : dict
        Section `simulation` of the config.
    view : plumenav.world.View
    grid : plumenav.world.Grid
        Of the normalized plume.
    look : Look
    """
    shape = look.image.shape
    height, width = shape
    said = []
    if not inside(view.source_row, view.source_column, shape):
        said.append(
            f"the source (row {view.source_row:g}, column {view.source_column:g}) is outside the"
            f" image of {height} rows x {width} columns"
        )
    share = start_inside(simulation, grid)
    x0, x1, y0, y1 = world.extent_mm(grid)
    reach = f"x {x0:.0f} to {x1:.0f} mm, y {y0:.0f} to {y1:.0f} mm"
    if not said and not (x0 <= 0 <= x1 and y0 <= 0 <= y1):
        said.append(
            f"the source is outside what is left of the image after crop and turn ({reach})"
        )
    if share == 0:
        said.append(f"the start region is outside the plume ({reach}): simulation.start")
    elif share < 1:
        said.append(f"{100 * (1 - share):.0f} % of the start region is outside the plume ({reach})")
    downwind = float(np.clip(x1 / (x1 - x0), 0.0, 1.0))
    upwind = upwind_share(look, view)
    if downwind < FEW:
        said.append(
            f"the wind blows out of the image: only {100 * downwind:.0f} % of the plume's length is"
            " downwind of the source (wind_toward, source_px)"
        )
    if upwind is not None and upwind > UPWIND:
        said.append(
            f"{100 * upwind:.0f} % of what changes lies upwind of the source: is wind_toward"
            " turned round?"
        )
    if recording.wind.toward_deg % 360 != 0:
        said.append(
            f"the agents' wind blows {recording.wind.toward_deg:g} degrees off x (wind.toward_deg)"
        )
    if recording.normalize.lens.focal_px is not None:
        said.append("the lens is not undone in this picture: lines near the edges are off")
    if recording.nominal:
        said.append("scale and wind are nominal, not measured")
    return said


def scene_of(
    recording: Recording, simulation: dict[str, Any], grid: world.Grid, look: Look
) -> Scene:
    """Everything to draw of one recording."""
    view = view_of(recording)
    shape = look.image.shape
    marks = marks_of(recording, simulation, view, grid, shape)
    marks.append(arrow_of(recording, view, shape))
    warnings = warnings_of(recording, simulation, view, grid, look)
    return Scene(look.image, look.what, view, grid, marks, warnings)
