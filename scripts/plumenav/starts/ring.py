"""In a ring around the source, or a sector of it, uniformly over its area."""

from __future__ import annotations

import numpy as np
from pydantic import Field, field_validator

from plumenav.starts._contract import Interval, StartParams, span

ARC_DEG = 3.0  # between the corners of an outline


class Params(StartParams):
    """The ring."""

    radius_mm: Interval = Field((100.0, 150.0), description="distance from the source, mm")
    angle_deg: Interval = Field(
        (-90.0, 90.0), description="direction from the source, degrees from downwind, anticlockwise"
    )

    @field_validator("radius_mm")
    @classmethod
    def _not_negative(cls, value: tuple[float, float]) -> tuple[float, float]:
        if value[0] < 0.0:
            raise ValueError("a distance from the source is not negative")
        return value

    @field_validator("angle_deg")
    @classmethod
    def _once_around(cls, value: tuple[float, float]) -> tuple[float, float]:
        if value[1] - value[0] > 360.0:
            raise ValueError("a ring goes around once: at most 360 degrees")
        return value


def places(params: Params, replicate: np.ndarray, u: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Uniform over the area: the square of the distance is uniform."""
    near, far = params.radius_mm
    radius = np.sqrt(near**2 + (far**2 - near**2) * u[:, 0])
    low, high = np.radians(params.angle_deg)
    angle = low + (high - low) * u[:, 1]
    return radius * np.cos(angle), radius * np.sin(angle)


def outline(params: Params) -> np.ndarray:
    """Outer arc, and back along the inner one."""
    low, high = params.angle_deg
    angle = np.radians(np.linspace(low, high, 2 + int((high - low) / ARC_DEG)))
    arc = np.column_stack([np.cos(angle), np.sin(angle)])
    near, far = params.radius_mm
    path = np.concatenate([far * arc, near * arc[::-1]])
    return np.concatenate([path, path[:1]])


def closest_mm(params: Params) -> float:
    """The inner radius."""
    return params.radius_mm[0]


def words(params: Params) -> str:
    """Where it is."""
    return f"{span(params.radius_mm)} mm from the source at {span(params.angle_deg)}°"
