"""A movie: the stored number of the frame that is seen now, at a pixel or between pixels."""

from __future__ import annotations

from typing import Any, NamedTuple

BOUNDED = True  # there is nothing outside the image
DRAWS = False


class Constants(NamedTuple):
    """A movie has none."""

    unused: float = 0.0


def value(
    frames: Any,
    k: int,
    row: float,
    column: float,
    x_mm: float,
    y_mm: float,
    bilinear: bool,
    c: Constants,
    chance: float,
    dt_s: float,
) -> float:
    """Stored number at a pixel coordinate inside the image.

    Parameters
    ----------
    frames : ndarray, shape (n, height, width)
    k : int
        Which frame.
    row, column : float
        Pixel coordinates; integers are centres; -0.5 <= row < height - 0.5.
    x_mm, y_mm : float
        The same place in the world; unused here.
    bilinear : bool
        Between the four surrounding centres, clamped at the rim; else the nearest one.
    c : Constants
    chance, dt_s : float
        Unused here.
    """
    if not bilinear:
        return float(frames[k, int(row + 0.5), int(column + 0.5)])
    last_row = frames.shape[1] - 1
    last_column = frames.shape[2] - 1
    row = min(max(row, 0.0), float(last_row))
    column = min(max(column, 0.0), float(last_column))
    r0 = int(row)
    c0 = int(column)
    r1 = min(r0 + 1, last_row)
    c1 = min(c0 + 1, last_column)
    fr = row - r0
    fc = column - c0
    top = float(frames[k, r0, c0]) * (1.0 - fc) + float(frames[k, r0, c1]) * fc
    bottom = float(frames[k, r1, c0]) * (1.0 - fc) + float(frames[k, r1, c1]) * fc
    return top * (1.0 - fr) + bottom * fr
