"""TEMPLATE of a field: copy to <name>.py, describe it in one line, cite its source.

A field of your own, outside the package, states `PLUGIN_KIND = "field"` and is listed under
`plugins:` in the config. The references know only the fields of the package (references/_plume.py):
add its formula there, or nothing that moves through it can be validated.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

PLUGIN_KIND = "field"
BOUNDED = True
DRAWS = False


class Constants(NamedTuple):
    """Concentration on the axis, and standard deviation across it in mm."""

    peak: float = 1.0
    width_mm: float = 10.0


def problem(c: Constants) -> str | None:
    """What is wrong with the constants; None if nothing."""
    return None if c.width_mm > 0.0 else f"width_mm is {c.width_mm:g}; it must be above 0"


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
    """Concentration at (x_mm, y_mm): a steady ribbon downwind of the source."""
    if x_mm < 0.0:
        return 0.0
    return c.peak * math.exp(-0.5 * (y_mm / c.width_mm) ** 2)
