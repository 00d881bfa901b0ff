"""Where the pixels of a recording go: crop, lens, turn to the wind, square pixels of another size.

Turns by right angles move whole pixels and are followed by area means along rows and columns; any
other angle, or a lens, goes through :mod:`plumenav.normalization.warp`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import cv2
import numpy as np

from plumenav import world
from plumenav.config.recordings import PixelSize, Recording
from plumenav.errors import UserError
from plumenav.normalization import warp
from plumenav.normalization.steps import crop, lens, resample

Reduce = Callable[[np.ndarray], np.ndarray]


class Geometry(NamedTuple):
    """The way of the pixels.

    Attributes
    ----------
    window : tuple of int
        (row_start, row_stop, column_start, column_stop) of the file's image that are read.
    pose : warp.Pose
        How the file's pixels lie in the plane.
    direction : str or None
        Image direction of the wind, see :func:`plumenav.world.orient_image`; None where the turn
        is not by right angles, or a lens is undone.
    mirrored : bool
    ratios : tuple of float
        Height and width of an output pixel, in pixels of the turned file.
    part : warp.Rectangle or None
        What is used of the plane, where there is no `direction`.
    grid : plumenav.world.Grid
        The normalized plume.
    notes : tuple of str
    """

    window: tuple[int, ...]
    pose: warp.Pose
    direction: str | None
    mirrored: bool
    ratios: tuple[float, float]
    part: warp.Rectangle | None
    grid: world.Grid
    notes: tuple[str, ...]

    @property
    def shape(self) -> tuple[int, int]:
        """Height and width of the window."""
        r0, r1, c0, c1 = self.window
        return r1 - r0, c1 - c0

    def reducer(self, work: np.dtype) -> Reduce:
        """From an image of the window (type `work`) to one of the plume, in C order."""
        if self.direction is None:
            assert self.part is not None
            weights = warp.matrix(self.pose, self.window, self.part, self.grid.mm_per_px, work)
            size = (self.grid.height, self.grid.width)
            return lambda image: np.asarray((weights @ image.ravel()).reshape(size))
        direction, mirrored = self.direction, self.mirrored
        height, width = self.shape
        if all(resample.integer_ratio(ratio) for ratio in self.ratios):
            # whole pixels are counted from the corner that the turn makes the first one
            rows, columns = self._covered()
            height, width = rows.stop - rows.start, columns.stop - columns.start
            shrink = resample.shrinker(height, width, self._along_the_file(), work)
            return lambda image: contiguous(
                world.orient_image(shrink(image[rows, columns]), direction, mirrored)
            )
        # fractional pixels are counted from a corner of the turned image
        if world.QUARTER_TURNS[direction] % 2 == 1:
            height, width = width, height
        shrink = resample.shrinker(height, width, self.ratios, work)
        return lambda image: shrink(contiguous(world.orient_image(image, direction, mirrored)))

    def _along_the_file(self) -> tuple[float, float]:
        """Ratios along the rows and columns of the file."""
        assert self.direction is not None
        swapped = world.QUARTER_TURNS[self.direction] % 2 == 1
        return self.ratios[::-1] if swapped else self.ratios

    def _covered(self) -> tuple[slice, slice]:
        """Rows and columns of the window that fill whole output pixels."""
        assert self.direction is not None
        height, width = self.shape
        used = (round(self.grid.height * self.ratios[0]), round(self.grid.width * self.ratios[1]))
        parts = []
        for index in (np.arange(height)[:, None], np.arange(width)[None, :]):
            turned = world.orient_image(
                np.broadcast_to(index, (height, width)), self.direction, self.mirrored
            )[: used[0], : used[1]]
            ends = (int(turned[0, 0]), int(turned[-1, -1]))
            parts.append(slice(min(ends), max(ends) + 1))
        return parts[0], parts[1]

    def locate(self) -> tuple[np.ndarray, np.ndarray]:
        """Plume pixel (row, column) of every pixel of the window, float32, shape of the window.

        Integers are centres; what lies outside the plume has coordinates outside it.
        """
        r0, r1, c0, c1 = self.window
        x, y = self.pose.plane(np.arange(r0, r1)[:, None], np.arange(c0, c1)[None, :])
        if self.part is None:
            # the upper left outer corner of the turned window
            rim_x, rim_y = self.pose.plane(
                np.array([[r0 - 0.5, r1 - 0.5]]), np.array([[c0 - 0.5], [c1 - 0.5]])
            )
            left, top = rim_x.min(), rim_y.max()
        else:
            left, top = self.part.x_mm, self.part.y_mm
        y, x = top - y, x - left
        for distance in (y, x):
            distance /= self.grid.mm_per_px
            distance -= 0.5
        return y.astype(np.float32), x.astype(np.float32)


def contiguous(turned: np.ndarray) -> np.ndarray:
    """A turned view of an image in C order.

    (What numpy.ascontiguousarray gives, but with cv2's blockwise transposition, which is several
    times faster on large images.)
    """
    backwards = tuple(slice(None, None, -1 if step < 0 else 1) for step in turned.strides)
    forwards = turned[backwards]
    if forwards.strides[0] < forwards.strides[1]:
        forwards = cv2.transpose(forwards.T)
    # cv2 names the axis that stays: 0 reverses rows, 1 columns, -1 both
    flip = {(False, False): None, (True, False): 0, (False, True): 1, (True, True): -1}[
        (backwards[0].step < 0, backwards[1].step < 0)
    ]
    if flip is not None:
        forwards = cv2.flip(forwards, flip)
    return np.ascontiguousarray(forwards)


def pose_of(recording: Recording, height: int, width: int) -> tuple[warp.Pose, str | None]:
    """How the pixels of a file of that size lie, and the wind's direction if it is along an axis.

    Parameters
    ----------
    recording : Recording
        Its settings.
    height, width : int
        Size of the file's own image.

    Returns
    -------
    warp.Pose
    str or None
        None also where a lens bends the axes.
    """
    toward, size = recording.wind_toward, recording.mm_per_px
    edges = size if isinstance(size, PixelSize) else PixelSize(row=size, column=size)
    direction = toward if isinstance(toward, str) else world.image_direction(toward)
    optics = lens.optics(recording.normalize.lens, height, width)
    view = world.View(edges.row, edges.column, 0.0, 0.0, direction or toward, recording.mirrored)
    return warp.Pose(view, optics), direction if optics.focal_px is None else None


def _exact(ratio: float) -> float:
    whole = resample.integer_ratio(ratio)
    return ratio if whole is None else float(whole)


def geometry(recording: Recording, height: int, width: int, where: str) -> Geometry:
    """The way of the pixels of one recording.

    Parameters
    ----------
    recording : Recording
        Its settings.
    height, width : int
        Size of the file's own image.
    where : str
        Config key of the recording, for messages.

    Returns
    -------
    Geometry

    Raises
    ------
    UserError
        If the crop is outside the image, or the new pixel is larger than it.
    """
    settings = recording.normalize
    window = crop.window(settings.crop, height, width, f"{where}.normalize.crop")
    pose, direction = pose_of(recording, height, width)
    coarsest = max(pose.view.row_mm, pose.view.column_mm)
    mm_per_px = settings.resample.mm_per_px or coarsest
    if direction is None:
        return _warped(recording, window, pose, mm_per_px, where)
    r0, r1, c0, c1 = window
    view = (direction, recording.mirrored)
    turned = world.orient_image(np.broadcast_to(np.uint8(0), (r1 - r0, c1 - c0)), *view).shape
    edges = (pose.view.row_mm, pose.view.column_mm)
    if world.QUARTER_TURNS[direction] % 2 == 1:
        edges = (pose.view.column_mm, pose.view.row_mm)
    ratios = (_exact(mm_per_px / edges[0]), _exact(mm_per_px / edges[1]))
    shape = tuple(resample.whole_pixels(n, ratio) for n, ratio in zip(turned, ratios, strict=True))
    if min(shape) < 1:
        raise _too_large(where, mm_per_px, turned, edges)
    notes = [
        f"{size - n * ratio:.3g} of {size} {name} at the far edge do not fill a pixel: left out"
        for size, n, ratio, name in zip(turned, shape, ratios, ("rows", "columns"), strict=True)
        if size - n * ratio > resample.RATIO_SLACK * size
    ]
    if edges[0] != edges[1]:
        size = f"{pose.view.row_mm:g} x {pose.view.column_mm:g} mm (rows x columns)"
        notes.append(f"pixels of {size} made square")
    row, column = world.orient_pixel(
        recording.source_px.row - r0, recording.source_px.column - c0, r1 - r0, c1 - c0, *view
    )
    grid = world.Grid(
        shape[0],
        shape[1],
        mm_per_px,
        resample.follow(row, ratios[0]),
        resample.follow(column, ratios[1]),
    )
    return Geometry(window, pose, direction, recording.mirrored, ratios, None, grid, tuple(notes))


def _warped(
    recording: Recording, window: tuple[int, ...], pose: warp.Pose, mm_per_px: float, where: str
) -> Geometry:
    source = recording.source_px
    x, y = (float(v) for v in pose.plane(np.array(source.row), np.array(source.column)))
    part = warp.usable(pose, window, mm_per_px, (x, y))
    r0, r1, c0, c1 = window
    if part is None:
        raise _too_large(
            where, mm_per_px, (r1 - r0, c1 - c0), (pose.view.row_mm, pose.view.column_mm)
        )
    grid = world.Grid(
        part.height,
        part.width,
        mm_per_px,
        (part.y_mm - y) / mm_per_px - 0.5,
        (x - part.x_mm) / mm_per_px - 0.5,
    )
    kept = part.height * part.width * mm_per_px**2
    whole = (r1 - r0) * (c1 - c0) * pose.view.row_mm * pose.view.column_mm
    note = (
        f"turned by an angle or through a lens: the upright rectangle that is left has"
        f" {100 * kept / whole:.0f} % of the image's area"
    )
    ratios = (mm_per_px / pose.view.row_mm, mm_per_px / pose.view.column_mm)
    return Geometry(window, pose, None, recording.mirrored, ratios, part, grid, (note,))


def _too_large(
    where: str, mm_per_px: float, size: tuple[int, ...], edges: tuple[float, float]
) -> UserError:
    most = min(n * edge for n, edge in zip(size, edges, strict=True))
    return UserError(
        f"{where}.normalize.resample.mm_per_px",
        f"{mm_per_px} mm is larger than the recording"
        f" ({size[0]} x {size[1]} pixels of {edges[0]:g} x {edges[1]:g} mm)",
        f"at most {most:g}",
    )
