"""Concentration that falls linearly with distance from the source, down to 0."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

BOUNDED = True
DRAWS = False


class Constants(NamedTuple):
    """Concentration at the source and how much it falls per mm."""

    level_at_source: float = 1.0
    slope_per_mm: float = 0.005


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
    """Concentration at (x_mm, y_mm)."""
    distance = math.sqrt(x_mm * x_mm + y_mm * y_mm)
    return max(0.0, c.level_at_source - c.slope_per_mm * distance)
