"""False colour: from a picture in the colours of a map back to the numbers that it shows.

Each pixel takes the number of the nearest colour of the map (Euclidean in 8-bit red, green, blue).
A colour farther from all of them than the tolerance (lettering, a scale bar, an overlay) is not of
the map: it takes the number of the map's first colour, and is counted.
"""

from __future__ import annotations

import csv
from pathlib import Path
from typing import NamedTuple

import numpy as np

from plumenav.config.normalization import FalseColour
from plumenav.errors import UserError, nearest

# The table of all colours has 2**BITS steps a channel; the rest of an 8-bit channel is rounded off.
BITS = 6
COLOURS = 256


class Palette(NamedTuple):
    """Colours of a map, first to last.

    Attributes
    ----------
    rgb : ndarray, shape (n, 3), float64
        Red, green, blue, 0 to 255.
    values : ndarray, shape (n,), float64
        Number of each.
    tolerance : float
    """

    rgb: np.ndarray
    values: np.ndarray
    tolerance: float


def palette(settings: FalseColour, table: Path | None, where: str) -> Palette:
    """The colours of a map.

    Parameters
    ----------
    settings : FalseColour
        With a map.
    table : Path or None
        CSV of red, green, blue (0 to 255, or 0 to 1), one colour a line; None: a map of matplotlib.
    where : str
        Config key, for messages.

    Raises
    ------
    UserError
        If there is no such map, or the table is none.
    """
    rgb = _of_table(table, where) if table else _of_matplotlib(str(settings.map), where)
    return Palette(rgb, np.linspace(settings.low, settings.high, len(rgb)), settings.tolerance)


def _of_matplotlib(name: str, where: str) -> np.ndarray:
    from matplotlib import colormaps

    if name not in colormaps:
        raise UserError(
            f"{where}.map",
            f"found {name!r}",
            "a colour map of matplotlib (viridis, jet, hot, ...), or a CSV of red, green, blue",
            nearest(name, colormaps),
        )
    return np.asarray(colormaps[name](np.linspace(0, 1, COLOURS))[:, :3] * 255.0)


def _of_table(path: Path, where: str) -> np.ndarray:
    rows = []
    with open(path, newline="", encoding="utf-8") as file:
        for number, line in enumerate(csv.reader(file), 1):
            try:
                rows.append([float(cell) for cell in line])
            except ValueError:
                if number > 1:  # the first line may be a heading
                    raise UserError(f"{where}.map", f"{path.name}, line {number}: {line}") from None
    rgb = np.array([row for row in rows if len(row) == 3])
    if len(rgb) < 2 or len(rgb) != len(rows) or rgb.min() < 0 or rgb.max() > 255:
        raise UserError(
            f"{where}.map",
            f"{path.name} holds {len(rgb)} colours in {len(rows)} lines",
            "two or more lines of red, green, blue, 0 to 255 (or 0 to 1)",
        )
    return rgb * 255.0 if rgb.max() <= 1 else rgb


def plain(bgr: np.ndarray, colours: Palette) -> tuple[np.ndarray, int]:
    """Numbers of pixels, shape (..., 3) of blue, green, red; and how many are not of the map."""
    rgb = np.asarray(bgr, np.float64)[..., ::-1]
    distance = ((rgb[..., None, :] - colours.rgb) ** 2).sum(axis=-1)
    best = distance.argmin(axis=-1)
    alien = np.sqrt(distance.min(axis=-1)) > colours.tolerance
    return np.where(alien, colours.values[0], colours.values[best]), int(alien.sum())


class Decoder:
    """The fast form of :func:`plain` for 8-bit pictures: a table of all colours, rounded to 6 bits.

    Attributes
    ----------
    alien, pixels : int
        Pixels so far that are not of the map, and all pixels so far.
    """

    def __init__(self, colours: Palette) -> None:
        from scipy.spatial import cKDTree

        step = 256 >> BITS
        levels = np.arange(1 << BITS) * step + (step - 1) / 2
        red, green, blue = np.meshgrid(levels, levels, levels, indexing="ij")
        every = np.stack([red, green, blue], axis=-1).reshape(-1, 3)
        distance, best = cKDTree(colours.rgb).query(every)
        # half a step a channel is the table's own rounding
        alien = np.asarray(distance > colours.tolerance + step)
        values = np.where(alien, colours.values[0], colours.values[best])
        self._values, self._alien = values.astype(np.float32), alien
        self._any_alien = bool(alien.any())
        self.alien = self.pixels = 0

    def __call__(self, bgr: np.ndarray) -> np.ndarray:
        """Numbers of a picture, shape (height, width, 3), uint8; float32."""
        shift = 8 - BITS
        blue, green, red = (bgr[..., k].astype(np.uint32) >> shift for k in range(3))
        index = (red << (2 * BITS)) | (green << BITS) | blue
        self.pixels += index.size
        if self._any_alien:
            self.alien += int(np.count_nonzero(self._alien[index]))
        return np.asarray(self._values[index])
