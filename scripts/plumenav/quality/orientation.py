"""Which turning or mirroring of the file would make wind and source what they are declared to be.

Everything is in the file's own image: the declared source is one of its pixels, and the declared
wind points along it. If the file is a turned or mirrored copy of the one that the settings were
made for, both are moved in a known way, one of eight.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

Pixel = tuple[float, float]  # row, column
DIRECTION_DEG = {"+column": 0.0, "-row": 90.0, "-column": 180.0, "+row": 270.0}


class Declared(NamedTuple):
    """What the settings say of the file.

    Attributes
    ----------
    source : tuple of float
        Row and column in the file.
    wind_deg : float
        Image direction that the wind blows to, counter-clockwise from +column as the (unmirrored)
        image is seen.
    mirrored : bool
    mm_per_px : tuple of float
        From one row to the next, from one column to the next.
    size : tuple of int or None
        Rows and columns of the file; None if not known.
    toward_deg : float
        Wind of the simulation against +x, counter-clockwise.
    """

    source: Pixel
    wind_deg: float
    mirrored: bool
    mm_per_px: tuple[float, float]
    size: tuple[int, int] | None
    toward_deg: float = 0.0


class Measured(NamedTuple):
    """What the movie says, in the world frame of the normalized plume.

    Attributes
    ----------
    wind_deg : float
        Counter-clockwise from +x.
    source_mm : tuple of float or None
        x and y of the estimated source.
    at_edge : bool
        The plume may begin farther upstream than the image shows.
    """

    wind_deg: float
    source_mm: tuple[float, float] | None
    at_edge: bool


class Explanation(NamedTuple):
    """One turning or mirroring that makes wind and source fit."""

    what: str
    change: str


class Symmetry(NamedTuple):
    """One of the eight ways an image can lie: how pixels and directions of it move."""

    what: str
    change: str
    swaps_sides: bool
    move: Callable[[float, float, int, int], Pixel]  # row, column, rows, columns of the original


# Moves from the file that the settings describe to the file that is there.
SYMMETRIES = (
    Symmetry(
        "rotated by 90 degrees",
        "wind_toward and source_px",
        True,
        lambda r, c, rows, columns: (columns - 1 - c, r),
    ),
    Symmetry(
        "rotated by 180 degrees",
        "wind_toward and source_px",
        False,
        lambda r, c, rows, columns: (rows - 1 - r, columns - 1 - c),
    ),
    Symmetry(
        "rotated by 270 degrees",
        "wind_toward and source_px",
        True,
        lambda r, c, rows, columns: (c, rows - 1 - r),
    ),
    Symmetry(
        "axes swapped (transposed)",
        "reader.axes (rows and columns in the other order; pictures: mirrored and wind_toward)",
        True,
        lambda r, c, rows, columns: (c, r),
    ),
    Symmetry(
        "mirrored, left and right exchanged",
        "mirrored, and source_px (columns counted from the other side)",
        False,
        lambda r, c, rows, columns: (r, columns - 1 - c),
    ),
    Symmetry(
        "mirrored, top and bottom exchanged",
        "mirrored with wind_toward turned by 180 degrees, and source_px (rows counted from the"
        " other side)",
        False,
        lambda r, c, rows, columns: (rows - 1 - r, c),
    ),
    Symmetry(
        "axes swapped and rotated by 180 degrees",
        "reader.axes (rows and columns in the other order; pictures: mirrored), wind_toward and"
        " source_px",
        True,
        lambda r, c, rows, columns: (columns - 1 - c, rows - 1 - r),
    ),
)
MIRRORINGS = ("mirrored, left and right exchanged", "mirrored, top and bottom exchanged")


def from_world(x: float, y: float, declared: Declared) -> np.ndarray:
    """Displacement of the world (mm, or a direction) as rows and columns of the file, in mm."""
    a = math.radians(declared.wind_deg)
    right = x * math.cos(a) - y * math.sin(a)
    up = x * math.sin(a) + y * math.cos(a)
    return np.array([-up, -right if declared.mirrored else right])


def misfit(
    direction: np.ndarray,
    source: Pixel | None,
    measured_direction: np.ndarray,
    measured_source: Pixel | None,
    mm_per_px: tuple[float, float],
    at_edge: bool,
) -> tuple[float, float]:
    """How far an expected wind and source are from the measured ones: degrees, mm.

    A plume that is already there at the image's edge may have its source anywhere upstream.
    """
    cosine = float(direction @ measured_direction)
    cosine /= float(np.linalg.norm(direction) * np.linalg.norm(measured_direction))
    off_deg = math.degrees(math.acos(min(1.0, max(-1.0, cosine))))
    if source is None or measured_source is None:
        return off_deg, 0.0
    off = (np.array(source) - np.array(measured_source)) * np.array(mm_per_px)
    if at_edge:
        along = measured_direction / np.linalg.norm(measured_direction)
        off = off - min(0.0, float(off @ along)) * along
    return off_deg, float(np.linalg.norm(off))


def explanations(
    declared: Declared, measured: Measured, most_deg: float, most_mm: float
) -> tuple[bool, list[Explanation]]:
    """Whether the settings fit as they are, and what else would make them fit.

    Parameters
    ----------
    declared : Declared
    measured : Measured
    most_deg, most_mm : float
        What still fits.

    Returns
    -------
    bool
        The settings fit.
    list of Explanation
        Every turning or mirroring under which they fit.
    """
    per_px = np.array(declared.mm_per_px)
    toward = math.radians(declared.toward_deg)
    wind = from_world(math.cos(toward), math.sin(toward), declared)
    angle = math.radians(measured.wind_deg)
    found_wind = from_world(math.cos(angle), math.sin(angle), declared)
    found_source: Pixel | None = None
    if measured.source_mm is not None:
        row, column = np.array(declared.source) + from_world(*measured.source_mm, declared) / per_px
        found_source = (float(row), float(column))

    def fits(direction: np.ndarray, source: Pixel | None) -> bool:
        off_deg, off_mm = misfit(
            direction, source, found_wind, found_source, declared.mm_per_px, measured.at_edge
        )
        return off_deg <= most_deg and off_mm <= most_mm

    found = []
    for turns in (1, 2, 3):
        turned = _turned_direction(wind, turns)
        if fits(turned, declared.source):
            what = f"the wind blows {90 * turns} degrees from where it is declared to blow to"
            found.append(Explanation(what, f"wind_toward: {image_direction(turned)}"))
    for symmetry in SYMMETRIES:
        linear = np.array(
            symmetry.move(wind[0], wind[1], 1, 1)
        )  # about pixel 0, 0 of a 1 x 1 image
        source: Pixel | None = None
        if declared.size is not None:
            rows, columns = declared.size[::-1] if symmetry.swaps_sides else declared.size
            source = symmetry.move(*declared.source, rows, columns)
        if fits(linear, source):
            found.append(Explanation(f"the image is {symmetry.what}", symmetry.change))
    return fits(wind, declared.source), found


def _turned_direction(direction: np.ndarray, turns: int) -> np.ndarray:
    """Direction (row, column) turned counter-clockwise, as seen, by quarter turns."""
    for _ in range(turns):
        direction = np.array([-direction[1], direction[0]])
    return direction


def image_direction(direction: np.ndarray) -> str:
    """Name of the image direction nearest to (row, column)."""
    angle = math.degrees(math.atan2(-direction[0], direction[1])) % 360
    return min(DIRECTION_DEG, key=lambda name: abs((angle - DIRECTION_DEG[name] + 180) % 360 - 180))
