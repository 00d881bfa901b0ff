"""Anywhere in a rectangle, uniformly."""

from __future__ import annotations

import numpy as np
from pydantic import Field

from plumenav.starts._contract import (
    Interval,
    StartParams,
    rectangle,
    rectangle_distance_mm,
    span,
)


class Params(StartParams):
    """The rectangle."""

    x_mm: Interval = Field((100.0, 200.0), description="downwind of the source, mm")
    y_mm: Interval = Field((-40.0, 40.0), description="crosswind, mm")


def places(params: Params, replicate: np.ndarray, u: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Uniform in the rectangle."""
    (x0, x1), (y0, y1) = params.x_mm, params.y_mm
    return x0 + (x1 - x0) * u[:, 0], y0 + (y1 - y0) * u[:, 1]


def outline(params: Params) -> np.ndarray:
    """The rectangle."""
    return rectangle(params.x_mm, params.y_mm)


def closest_mm(params: Params) -> float:
    """Distance of the rectangle from the source."""
    return rectangle_distance_mm(params.x_mm, params.y_mm)


def words(params: Params) -> str:
    """Where it is."""
    return f"x {span(params.x_mm)} mm, y {span(params.y_mm)} mm"
