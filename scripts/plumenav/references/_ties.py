"""How near each step of a simulation came to going another way, found out afterwards.

A decision within 1e-9 of its threshold may fall either way by rounding alone; there, an engine and
a reference may part without either being wrong (plumenav.analysis.agreement). Models say how near
their own decisions were; here are those of the loop around them, for all steps of a simulation at
once, because nothing on the way depends on them.
"""

from __future__ import annotations

import math

import numpy as np

from plumenav.references._sensor import Nose

NO_READING = 1e-9  # a reading of zero is zero on either side of the dead zone


def to_source(
    x0: np.ndarray, y0: np.ndarray, x1: np.ndarray, y1: np.ndarray, radius_mm: float
) -> np.ndarray:
    """Distance of each step's segment from the circle in which the source is reached, mm."""
    return np.abs(closest_mm(x0, y0, x1, y1) - radius_mm)


def closest_mm(x0: np.ndarray, y0: np.ndarray, x1: np.ndarray, y1: np.ndarray) -> np.ndarray:
    """Smallest distance of segments from the origin, mm."""
    dx, dy = np.subtract(x1, x0), np.subtract(y1, y0)
    length2 = dx * dx + dy * dy
    with np.errstate(over="ignore"):  # of a segment that is hardly longer than nothing
        s = -(x0 * dx + y0 * dy) / np.where(length2 == 0.0, 1.0, length2)
    s = np.clip(s, 0.0, 1.0)
    return np.asarray(np.hypot(x0 + s * dx, y0 + s * dy))


def _half_distance(value: np.ndarray) -> np.ndarray:
    """Distance of a pixel coordinate from the nearest pixel edge (a half-integer).

    Folding into a blank region keeps it, because that is reflection at pixel centres.
    """
    part = (value + 0.5) % 1.0
    return np.minimum(part, 1.0 - part)


def of_places(nose: Nose, x: np.ndarray, y: np.ndarray, heading: np.ndarray) -> np.ndarray:
    """Distance of a sensor's points from the arena's edge or from another pixel, in pixels.

    Parameters
    ----------
    nose : Nose
    x, y, heading : ndarray, shape (n,)
        Of the body, at the start of each step.

    Returns
    -------
    ndarray, shape (n,)
        The smallest of all points; where some are outside: how far the one farthest outside is.
    """
    arena, cos_h, sin_h = nose.arena, np.cos(heading), np.sin(heading)
    margin, outside = np.full(len(x), math.inf), np.full(len(x), -math.inf)
    for forward, left in nose.points:
        row, column = arena.row_column(
            x + forward * cos_h - left * sin_h, y + forward * sin_h + left * cos_h
        )
        within = np.full(len(x), True)
        if nose.blank is None:
            inward = arena.inward(row, column)
            within = arena.contains(row, column)
            margin = np.minimum(margin, np.abs(inward))
            outside = np.where(within, outside, np.maximum(outside, -inward))
        if nose.has_pixels:
            to_pixel = np.minimum(_half_distance(row), _half_distance(column))
            margin = np.where(within, np.minimum(margin, to_pixel), margin)
    return np.where(outside > -math.inf, outside, margin)


def of_dead_zone(nose: Nose, n: int) -> np.ndarray:
    """Smallest distance of the readings of n steps from the dead zone; inf if there is none."""
    if nose.dead_zone is None:
        return np.full(n, math.inf)
    raw = np.array(nose.raw, np.float64).reshape(n, -1)
    gaps = np.where(np.abs(raw) > NO_READING, np.abs(raw - nose.dead_zone), math.inf)
    return np.asarray(gaps.min(axis=1))
