"""One point at the animal's position."""

from __future__ import annotations

import numpy as np

from plumenav.sensors._contract import SensorParams


class Params(SensorParams):
    """A point has no parameters."""


def points(params: Params) -> np.ndarray:
    """Where the sensor samples: (forward_mm, left_mm), shape (1, 2)."""
    return np.zeros((1, 2))
