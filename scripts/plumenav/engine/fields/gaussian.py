"""A static Gaussian hill of odour around the source."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

BOUNDED = True
DRAWS = False


class Constants(NamedTuple):
    """Peak concentration (1 = source) and width in mm."""

    peak: float = 1.0
    sigma_mm: float = 50.0


def problem(c: Constants) -> str | None:
    """What is wrong with the constants; None if nothing."""
    return None if c.sigma_mm > 0.0 else f"sigma_mm is {c.sigma_mm:g}; it must be above 0"


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
    return c.peak * math.exp(-(x_mm * x_mm + y_mm * y_mm) / (2.0 * c.sigma_mm * c.sigma_mm))
