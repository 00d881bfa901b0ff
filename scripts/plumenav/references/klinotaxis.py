"""Reference for klinotaxis: the head swings, the body turns to where it smelled more.

Source: Hengenius, Connor, Crimaldi, Urban & Ermentrout (2021) "Olfactory navigation in the real
world", J Theor Biol 516:110607, for the family; the equations are its standard form. At the end of
swing n the head is at side s (+1 left, -1 right) and smells C(n); until the end of the next one

    dh/dt = beta s sigma(C(n), C(n-1)) + noise,     then s changes sign
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from plumenav.references._comparison import compared
from plumenav.references._loop import Action, Sensed, Wind, normal, reaches, run
from plumenav.references._plume import Plume

SOURCE = "Hengenius et al. 2021, J Theor Biol 516:110607 (standard form)"
DRAWS = ("first_side", "turn_a", "turn_b")
EXAMPLE_PARAMETERS: dict[str, Any] = {
    "speed_mm_s": 10.0,
    "comparison": "sign",
    "gain_deg_s": 40.0,
    "c0": 0.01,
    "least_difference": 1e-6,
    "turn_sd_deg": 20.0,
    "swing_s": 0.1,
}
HEAD_LEFT, HEAD_RIGHT = 0, 1


class Klinotaxis:
    """Where the head is, what it smelled one swing ago, and how fast the body turns."""

    events = False
    bilateral = True

    def __init__(self, parameters: Mapping[str, Any], wind: Wind, dt_s: float) -> None:
        self.p, self.dt_s = parameters, dt_s
        self.code, self.clipped = HEAD_LEFT, 0
        self.left: bool | None = None
        self.before: float | None = None
        self.rate_deg_s = 0.0
        self.due_s: float = parameters["swing_s"]

    def variables(self) -> dict[str, float]:
        """State at the start of the step to come."""
        side = 0.0 if self.left is None else 1.0 if self.left else -1.0
        return {"side": side, "rate_rad_s": math.radians(self.rate_deg_s), "due_s": self.due_s}

    def decide(self, now: Sensed) -> Action:
        """One step."""
        p, dt, h = self.p, self.dt_s, now.heading_rad
        first_side, turn_a, turn_b = now.u
        margin = math.inf
        if self.left is None:
            self.left = first_side < 0.5
            margin = abs(first_side - 0.5)
        if reaches(now.t_s, self.due_s):
            margin = min(margin, self.end_of_swing(now))
        eta_deg = p["turn_sd_deg"] * math.sqrt(dt) * normal(turn_a, turn_b)
        return Action(
            p["speed_mm_s"] * math.cos(h),
            p["speed_mm_s"] * math.sin(h),
            h + math.radians(self.rate_deg_s * dt + eta_deg),
            HEAD_LEFT if self.left else HEAD_RIGHT,
            margin,
        )

    def end_of_swing(self, now: Sensed) -> float:
        """Smell, compare, swing back; how close the comparison came to another one."""
        margin = math.inf
        C = max(0.0, now.odor_left if self.left else now.odor_right)
        if self.before is not None:
            sides = (C, self.before) if self.left else (self.before, C)
            sigma, margin = compared(self.p, *sides)
            self.rate_deg_s = self.p["gain_deg_s"] * sigma
        self.before = C
        self.left = not self.left
        self.due_s += self.p["swing_s"]
        return margin


def simulate(start: Mapping[str, Any], settings: Mapping[str, Any], plume: Plume) -> dict[str, Any]:
    """Simulate one agent; see :func:`plumenav.references._loop.run`."""
    return run(start, settings, plume, Klinotaxis, DRAWS)
