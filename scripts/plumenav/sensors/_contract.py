"""What a sensor is: points in the body frame whose concentrations are averaged.

A sensor file defines
    Params : pydantic model of its parameters
    points(params) -> ndarray, shape (n, 2): (forward_mm, left_mm) of each point
and, if it has a left and a right side,
    PAIRED = True : the first half of the points is the left side, the second half the right one,
                    its mirror image
"""

from __future__ import annotations

from types import ModuleType

from pydantic import BaseModel, ConfigDict


class SensorParams(BaseModel):
    """Base of all sensors' parameters."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def is_paired(sensor: ModuleType) -> bool:
    """Whether a sensor has a left and a right side."""
    return bool(getattr(sensor, "PAIRED", False))
