"""TEMPLATE of a way of choosing starts: copy to <name>.py and describe it in one line.

The file's name is the `kind` of `simulation.start`. A file of your own, outside the package, states
`PLUGIN_KIND = "start"` and is listed under `plugins:`. Here: on a line across the plume.
"""

from __future__ import annotations

import numpy as np
from pydantic import Field

from plumenav.starts._contract import StartParams


class Params(StartParams):
    """Keys that stand beside `kind` in the config."""

    x_mm: float = Field(100.0, description="downwind of the source, mm")
    half_width_mm: float = Field(40.0, ge=0, description="to both sides, mm")


def places(params: Params, replicate: np.ndarray, u: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Uniform on the line."""
    return np.full(len(u), params.x_mm), params.half_width_mm * (2.0 * u[:, 0] - 1.0)


def outline(params: Params) -> np.ndarray:
    """There and back."""
    ends = [(params.x_mm, -params.half_width_mm), (params.x_mm, params.half_width_mm)]
    return np.array([*ends, ends[0]])


def closest_mm(params: Params) -> float:
    """Its middle."""
    return abs(params.x_mm)


def words(params: Params) -> str:
    """Where it is."""
    return f"x {params.x_mm:g} mm, y up to {params.half_width_mm:g} mm to both sides"
