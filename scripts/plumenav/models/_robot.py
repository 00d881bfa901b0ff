"""What the three robots share: parameters, lengths of legs, and where a lost plume is.

After Lochmatter T, Martinoli A (2009) Tracking an odor plume in a laminar wind field with the
crosswind-surge algorithm (ISER 2008, Springer Tracts in Advanced Robotics 54), and their surge-
spiral and casting algorithms. The articles' text was not at hand: definitions follow descriptions
of them, details and values are ours. One step: docs/conventions.md.
"""

from __future__ import annotations

import math
from typing import Any

from plumenav.models._contract import ModelParams, parameter

CITATION = (
    "Lochmatter T, Martinoli A (2009) Tracking an odor plume in a laminar wind field with the "
    "crosswind-surge algorithm. Experimental Robotics (ISER 2008), Springer Tracts in Advanced "
    "Robotics 54"
)
AFTER = "definition after Lochmatter & Martinoli, value ours"
SENSOR: dict[str, Any] = {
    "shape": "point",
    "interpolation": "bilinear",
    "threshold": {"value": 5.0, "unit": "noise_sd"},
    "dead_zone": None,
}
SLACK_MM = 1.0e-9
# a smaller offset from the odour last met is rounding, not a wind that turned
OFFSET_MM = 1.0e-6
SEARCH, TRACK, RECOVER = 0, 1, 2


class RobotParams(ModelParams):
    """Parameters of all robots."""

    speed_mm_s: float = parameter(50.0, "mm/s", "speed", AFTER, gt=0)
    lost_mm: float = parameter(
        10.0, "mm", "way without odour after which the plume counts as lost", AFTER, ge=0
    )
    search_leg_mm: float = parameter(
        100.0, "mm", "straight leg in a random direction while the plume is not found", "ours", gt=0
    )


def side_met(heading_rad: float, downwind_rad: float) -> float:
    """Side (+1: left of downwind) to which a robot is heading."""
    return 1.0 if math.sin(heading_rad - downwind_rad) >= 0.0 else -1.0


def side_lost(dx_mm: float, dy_mm: float, downwind_rad: float, found: float) -> float:
    """Side on which the plume is, after moving by (dx, dy) since the last odour."""
    offset = -dx_mm * math.sin(downwind_rad) + dy_mm * math.cos(downwind_rad)
    if offset > OFFSET_MM:
        return -1.0
    return 1.0 if offset < -OFFSET_MM else found


def too_coarse(params: RobotParams, dt_s: float, lengths_mm: dict[str, float]) -> str | None:
    """Name the first length that one step jumps over; None if there is none."""
    step_mm = params.speed_mm_s * dt_s
    for name, length in {**lengths_mm, "search_leg_mm": params.search_leg_mm}.items():
        if step_mm > length:
            return f"one step of {dt_s:g} s is {step_mm:g} mm, longer than {name} = {length:g}"
    return None
