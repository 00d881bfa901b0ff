"""Where the pixels of a recording go: crop, turn to the wind, change of pixel size."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from plumenav import world
from plumenav.config.recordings import Recording
from plumenav.errors import UserError
from plumenav.normalization.steps import crop, resample


class Geometry(NamedTuple):
    """The way of the pixels.

    Attributes
    ----------
    window : tuple of int
        (row_start, row_stop, column_start, column_stop) of the file's image that are read.
    wind_toward : str
        Image direction in the file, see :func:`plumenav.world.orient_image`.
    mirrored : bool
    ratio : float
        Output pixel edge in file pixels.
    turn_first : bool
        Turn before resampling (needed at fractional ratios, whose grid starts at a corner).
    grid : plumenav.world.Grid
        The normalized plume.
    notes : tuple of str
    """

    window: tuple[int, ...]
    wind_toward: str
    mirrored: bool
    ratio: float
    turn_first: bool
    grid: world.Grid
    notes: tuple[str, ...]

    def orient(self, image: np.ndarray) -> np.ndarray:
        """An image turned so that the wind blows towards +column (a view)."""
        return world.orient_image(image, self.wind_toward, self.mirrored)


def _covered_window(
    window: tuple[int, ...], wind_toward: str, mirrored: bool, height: int, width: int
) -> tuple[int, ...]:
    """Part of `window` that becomes the first `height` rows and `width` columns once turned."""
    r0, r1, c0, c1 = window
    shape = (r1 - r0, c1 - c0)
    rows = np.broadcast_to(np.arange(r0, r1)[:, None], shape)
    columns = np.broadcast_to(np.arange(c0, c1), shape)
    ends = []
    for index in (rows, columns):
        turned = world.orient_image(index, wind_toward, mirrored)[:height, :width]
        corners = (int(turned[0, 0]), int(turned[-1, -1]))
        ends += [min(corners), max(corners) + 1]
    return tuple(ends)


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
    r0, r1, c0, c1 = window
    view = (recording.wind_toward, recording.mirrored)
    turned = world.orient_image(np.broadcast_to(np.uint8(0), (r1 - r0, c1 - c0)), *view).shape
    mm_per_px = settings.resample.mm_per_px or recording.mm_per_px
    ratio = mm_per_px / recording.mm_per_px
    whole = resample.integer_ratio(ratio)
    ratio = float(whole) if whole is not None else ratio
    shape = tuple(resample.whole_pixels(size, ratio) for size in turned)
    if min(shape) < 1:
        raise UserError(
            f"{where}.normalize.resample.mm_per_px",
            f"{mm_per_px} mm is larger than the recording"
            f" ({turned[0]} x {turned[1]} pixels of {recording.mm_per_px} mm)",
            f"at most {min(turned) * recording.mm_per_px:g}",
        )
    notes = [
        f"{size - n * ratio:.3g} of {size} {name} at the far edge do not fill a pixel: left out"
        for size, n, name in zip(turned, shape, ("rows", "columns"), strict=True)
        if size - n * ratio > resample.RATIO_SLACK * size
    ]
    row, column = world.orient_pixel(
        recording.source_px.row - r0, recording.source_px.column - c0, r1 - r0, c1 - c0, *view
    )
    grid = world.Grid(
        shape[0], shape[1], mm_per_px, resample.follow(row, ratio), resample.follow(column, ratio)
    )
    if whole is not None:
        window = _covered_window(window, *view, shape[0] * whole, shape[1] * whole)
    return Geometry(window, *view, ratio, whole is None, grid, tuple(notes))
