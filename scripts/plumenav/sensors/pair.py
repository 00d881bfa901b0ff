"""Two points side by side: antennae, nostrils, or the two gas sensors of a robot."""

from __future__ import annotations

import numpy as np
from pydantic import Field

from plumenav.sensors._contract import SensorParams

PAIRED = True


class Params(SensorParams):
    """Geometry of the pair."""

    separation_mm: float = Field(1.0, gt=0, description="distance of the two points, mm")
    ahead_mm: float = Field(0.0, description="of both points ahead of the animal, mm")


def points(params: Params) -> np.ndarray:
    """Left point, right point: (forward_mm, left_mm), shape (2, 2)."""
    half = params.separation_mm / 2.0
    return np.array([[params.ahead_mm, half], [params.ahead_mm, -half]])
