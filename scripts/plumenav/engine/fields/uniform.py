"""The same concentration everywhere in the arena."""

from __future__ import annotations

from typing import Any, NamedTuple

BOUNDED = True
DRAWS = False


class Constants(NamedTuple):
    """Concentration, 1 = source."""

    level: float = 1.0


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
    return c.level
