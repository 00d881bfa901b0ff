"""TEMPLATE of a sensor: copy to <name>.py, describe it in one line, cite its source."""

from __future__ import annotations

import numpy as np
from pydantic import Field

from plumenav.sensors._contract import SensorParams


class Params(SensorParams):
    """Geometry, in millimetres."""

    ahead_mm: float = Field(1.0, description="distance ahead of the animal, mm")


def points(params: Params) -> np.ndarray:
    """Return (forward_mm, left_mm) of every sampled point, shape (n, 2)."""
    return np.array([[params.ahead_mm, 0.0]])
