"""What a sensor is: points in the body frame whose concentrations are averaged.

A sensor file defines
    Params : pydantic model of its parameters
    points(params) -> ndarray, shape (n, 2): (forward_mm, left_mm) of each point
"""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class SensorParams(BaseModel):
    """Base of all sensors' parameters."""

    model_config = ConfigDict(extra="forbid", frozen=True)
