"""Edges, walls and the source: where a straight step meets them; and the wind at a place.

Compiled into every kernel; the same for all models and fields.
"""

from __future__ import annotations

import math
from typing import Any

from plumenav.engine.inner import inner


@inner
def fold(v: float, low: float, high: float) -> float:
    """Reflect a coordinate into [low, high]."""
    length = high - low
    if length <= 0.0:
        return low
    m = (v - low) % (2.0 * length)
    return low + m if m <= length else low + 2.0 * length - m


@inner
def free_fraction(v0: float, v1: float, low: float, high: float) -> float:
    """Fraction of a way that one coordinate can go before it would leave [low, high]."""
    if v1 > high and v1 > v0:
        return max(0.0, (high - v0) / (v1 - v0))
    if v1 < low and v1 < v0:
        return max(0.0, (low - v0) / (v1 - v0))
    return 1.0


@inner
def wall_normal(v0: float, v1: float, low: float, high: float) -> float:
    """Inward normal of the wall that a coordinate moved towards and beyond; 0: none."""
    if v1 < low and v1 < v0:
        return 1.0
    if v1 > high and v1 > v0:
        return -1.0
    return 0.0


@inner
def outside(x: float, y: float, w: Any) -> bool:
    """True if a place is not in the recorded arena."""
    return w.bounded and not (x >= w.x_min and x < w.x_max and y > w.y_min and y <= w.y_max)


@inner
def near_source(x: float, y: float, length: float, radius: float) -> bool:
    """Whether a way of this length may come within a radius of the origin, or nearly so."""
    reach = 1.000001 * (radius + length)
    return x * x + y * y <= reach * reach


@inner
def arrival_fraction(x0: float, y0: float, x1: float, y1: float, radius: float) -> float:
    """Fraction of a segment at which it enters the circle around the origin; -1 if it does not."""
    c = x0 * x0 + y0 * y0 - radius * radius
    if c <= 0.0:
        return 0.0
    dx = x1 - x0
    dy = y1 - y0
    b = x0 * dx + y0 * dy
    if b >= 0.0:
        return -1.0
    a = dx * dx + dy * dy
    discriminant = b * b - a * c
    if discriminant < 0.0:
        return -1.0
    s = (-b - math.sqrt(discriminant)) / a
    return s if s <= 1.0 else -1.0


@inner
def wind_at(winds: Any, k: int, x: float, y: float, w: Any) -> tuple[float, float]:
    """Wind at a place: uniform, or between the four surrounding pixels, clamped at the rim."""
    n = winds.shape[0]
    if n == 0:
        return w.wind_x, w.wind_y
    last_row = winds.shape[2] - 1
    last_column = winds.shape[3] - 1
    row = min(max(w.source_row - y / w.mm_per_px, 0.0), float(last_row))
    column = min(max(x / w.mm_per_px + w.source_column, 0.0), float(last_column))
    r0 = int(row)
    c0 = int(column)
    r1 = min(r0 + 1, last_row)
    c1 = min(c0 + 1, last_column)
    fr = row - r0
    fc = column - c0
    frame = k if n > 1 else 0
    along = 0.0
    across = 0.0
    for v in range(2):
        top = winds[frame, v, r0, c0] * (1.0 - fc) + winds[frame, v, r0, c1] * fc
        bottom = winds[frame, v, r1, c0] * (1.0 - fc) + winds[frame, v, r1, c1] * fc
        across = top * (1.0 - fr) + bottom * fr
        if v == 0:
            along = across
    return along, across
