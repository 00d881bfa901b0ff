"""Reference for upwind_tropotaxis: in odour upwind, and always to the side that smells more.

Source: Hengenius, Connor, Crimaldi, Urban & Ermentrout (2021) "Olfactory navigation in the real
world", J Theor Biol 516:110607, for tropotaxis (standard form); upwind drive of Alvarez-Salvado et
al. (2018), eLife 7:e37815, switched by odour. With phi the direction the wind blows to:

    h(k+1) = h(k) + (beta sigma(C_L, C_R) + k_up [C >= threshold] sin(h(k) - phi)) dt + eta(k)
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from plumenav.references._comparison import compared
from plumenav.references._loop import Action, Sensed, Wind, normal, run
from plumenav.references._plume import Plume

SOURCE = "Hengenius et al. 2021, J Theor Biol 516:110607 (standard form)"
DRAWS = ("turn_a", "turn_b")
EXAMPLE_PARAMETERS: dict[str, Any] = {
    "speed_mm_s": 10.0,
    "comparison": "sign",
    "gain_deg_s": 40.0,
    "c0": 0.01,
    "least_difference": 1e-6,
    "turn_sd_deg": 20.0,
    "drive_upwind_deg_s": 250.0,
}
WANDER, UPWIND = 0, 1


class UpwindTropotaxis:
    """The rule, which remembers nothing."""

    events = True
    bilateral = True

    def __init__(self, parameters: Mapping[str, Any], wind: Wind, dt_s: float) -> None:
        self.p, self.dt_s, self.wind = parameters, dt_s, wind
        self.code, self.clipped = WANDER, 0

    def variables(self) -> dict[str, float]:
        """No state but position and heading."""
        return {}

    def decide(self, now: Sensed) -> Action:
        """One step."""
        p, dt, h = self.p, self.dt_s, now.heading_rad
        sigma, margin = compared(p, max(0.0, now.odor_left), max(0.0, now.odor_right))
        rate_deg_s = p["gain_deg_s"] * sigma
        if now.in_odor and self.wind.speed_mm_s > 0.0:
            phi = math.atan2(now.wind_y_mm_s, now.wind_x_mm_s)
            rate_deg_s += p["drive_upwind_deg_s"] * math.sin(h - phi)
        eta_deg = p["turn_sd_deg"] * math.sqrt(dt) * normal(*now.u)
        return Action(
            p["speed_mm_s"] * math.cos(h),
            p["speed_mm_s"] * math.sin(h),
            h + math.radians(rate_deg_s * dt + eta_deg),
            UPWIND if now.in_odor else WANDER,
            margin,
        )


def simulate(start: Mapping[str, Any], settings: Mapping[str, Any], plume: Plume) -> dict[str, Any]:
    """Simulate one agent; see :func:`plumenav.references._loop.run`."""
    return run(start, settings, plume, UpwindTropotaxis, DRAWS)
