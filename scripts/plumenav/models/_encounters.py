"""What models of odour encounters share: onsets, choices between two sides, event probabilities."""

from __future__ import annotations

import math

from plumenav.models._math import SLACK_S


def is_whiff(in_odor: bool, was_in_odor: bool, elapsed_s: float, refractory_s: float) -> bool:
    """Onset of odour, more than the refractory time after the last whiff."""
    return in_odor and not was_in_odor and elapsed_s > refractory_s + SLACK_S


def upwind_is_left(wind_x: float, wind_y: float, heading_rad: float) -> bool:
    """Whether the shorter turn to upwind is a left one."""
    return wind_x * math.sin(heading_rad) - wind_y * math.cos(heading_rad) >= 0.0


def logistic(x: float) -> float:
    """1 / (1 + exp(-x)), without overflow."""
    if x >= 0.0:
        return 1.0 / (1.0 + math.exp(-x))
    e = math.exp(x)
    return e / (1.0 + e)
