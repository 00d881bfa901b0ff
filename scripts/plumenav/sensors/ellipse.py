"""An ellipse ahead of the animal, as in the walking-fly simulations of Demir et al. 2020."""

from __future__ import annotations

import numpy as np
from pydantic import Field

from plumenav.sensors._contract import SensorParams


class Params(SensorParams):
    """Geometry of the ellipse."""

    centre_mm: float = Field(1.24, description="centre ahead of the animal, mm (8.05 px of 0.154)")
    along_mm: float = Field(0.23, gt=0, description="semi-axis along the heading, mm (1.49 px)")
    across_mm: float = Field(0.86, gt=0, description="semi-axis across the heading, mm (5.58 px)")
    spacing_mm: float = Field(0.3, gt=0, description="lattice of sampled points, mm")


def points(params: Params) -> np.ndarray:
    """Lattice points inside the ellipse: (forward_mm, left_mm), shape (n, 2)."""
    i_max = int(params.along_mm / params.spacing_mm) + 1
    j_max = int(params.across_mm / params.spacing_mm) + 1
    inside = [
        (params.centre_mm + i * params.spacing_mm, j * params.spacing_mm)
        for i in range(-i_max, i_max + 1)
        for j in range(-j_max, j_max + 1)
        if (i * params.spacing_mm / params.along_mm) ** 2
        + (j * params.spacing_mm / params.across_mm) ** 2
        <= 1.0 + 1e-9
    ]
    return np.array(inside, float)
