"""Reference for always_upwind: follows the wind to where it comes from, and smells nothing.

Source: a null model of ours; its upwind drive is that of Alvarez-Salvado et al. (2018), eLife
7:e37815, always on. With phi the direction the wind blows to:

    steered:  h(k+1) = h(k) + k_up sin(h(k) - phi) dt + eta(k)
    at once:  h = phi + pi
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from plumenav.references._loop import Action, Sensed, Wind, normal, run
from plumenav.references._plume import Plume

SOURCE = "ours, after Kennedy 1940, Proc Zool Soc Lond A 109:221"
DRAWS = ("turn_a", "turn_b")
# steered: at once, it would walk the same way whatever the noise
EXAMPLE_PARAMETERS: dict[str, Any] = {
    "speed_mm_s": 10.1,
    "turning": "steered",
    "drive_upwind_deg_s": 250.0,
    "turn_sd_deg": 35.3,
}
WALK = 0


class AlwaysUpwind:
    """Upwind, whatever it smells."""

    events = False

    def __init__(self, parameters: Mapping[str, Any], wind: Wind, dt_s: float) -> None:
        self.p, self.dt_s = parameters, dt_s
        if parameters["turning"] not in ("at_once", "steered"):
            raise ValueError(f"turning {parameters['turning']!r}; known: at_once, steered")
        self.code, self.clipped = WALK, 0

    def variables(self) -> dict[str, float]:
        """No state but position and heading."""
        return {}

    def decide(self, now: Sensed) -> Action:
        """One step."""
        p, dt = self.p, self.dt_s
        phi = math.atan2(now.wind_y_mm_s, now.wind_x_mm_s)
        if p["turning"] == "at_once":
            h = next_h = phi + math.pi
        else:
            h = now.heading_rad
            drive_deg = p["drive_upwind_deg_s"] * math.sin(h - phi) * dt
            eta_deg = p["turn_sd_deg"] * math.sqrt(dt) * normal(*now.u)
            next_h = h + math.radians(drive_deg + eta_deg)
        v = p["speed_mm_s"]
        return Action(v * math.cos(h), v * math.sin(h), next_h, WALK, math.inf)


def simulate(start: Mapping[str, Any], settings: Mapping[str, Any], plume: Plume) -> dict[str, Any]:
    """Simulate one agent; see :func:`plumenav.references._loop.run`."""
    return run(start, settings, plume, AlwaysUpwind, DRAWS)
