"""A disc: a patch of air of a given size around the animal, or ahead of it."""

from __future__ import annotations

import numpy as np
from pydantic import Field

from plumenav.sensors._contract import SensorParams


class Params(SensorParams):
    """Geometry of the disc."""

    radius_mm: float = Field(1.0, gt=0, description="radius, mm")
    ahead_mm: float = Field(0.0, description="centre ahead of the animal, mm")
    spacing_mm: float = Field(0.3, gt=0, description="lattice of sampled points, mm")


def points(params: Params) -> np.ndarray:
    """Lattice points inside the disc: (forward_mm, left_mm), shape (n, 2)."""
    reach = params.radius_mm / params.spacing_mm
    steps = np.arange(-int(reach) - 1, int(reach) + 2)
    i, j = np.meshgrid(steps, steps, indexing="ij")
    inside = i**2 + j**2 <= reach**2 + 1e-9
    return np.column_stack(
        [params.ahead_mm + i[inside] * params.spacing_mm, j[inside] * params.spacing_mm]
    )
