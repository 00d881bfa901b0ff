"""An odour time series that every agent smells wherever it is (open loop)."""

from __future__ import annotations

from typing import Any, NamedTuple

BOUNDED = False
DRAWS = False


class Constants(NamedTuple):
    """A signal has none."""

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
    """The one number of frame k."""
    return float(frames[k, 0, 0])
