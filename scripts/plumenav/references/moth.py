"""Reference for moth: counter-turning flight, upwind while odour is remembered, sweeps after it.

Source: Liberzon, Harrington, Daniel, Gurka, Harari & Zilman (2018) "Moth-inspired navigation
algorithm in a turbulent odor plume from a pulsating source", PLoS ONE 13:e0198422, its simulation
(mothpy), and Li, Farrell & Carde (2001) "Tracking of fluid-advected odor plumes", Adaptive
Behavior 9:143-170. What the code says against its own description is left out: docs/conventions.md.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from plumenav.references._loop import Action, Sensed, Wind, exceeds, normal, reaches, run
from plumenav.references._plume import Plume

SOURCE = "Liberzon et al. 2018, PLoS ONE 13:e0198422; Li et al. 2001"
DRAWS = ("first_side", "turn_sign", "turn_a", "turn_b")
# a published navigator with a published way to wait, in which the draws show
EXAMPLE_PARAMETERS: dict[str, Any] = {
    "navigation": "liberzon_2018",
    "casting": "growing",
    "waiting": "random_walk",
    "speed_mm_s": 100.0,
    "memory_s": 0.1,
    "sweep_s": 0.5,
    "crossing_gain": 1.5,
    "growth": 1.5,
    "nav_angle_deg": 30.0,
    "cast_angle_deg": 90.0,
    "wait_turn_deg": 50.0,
    "wait_turn_sd_deg": 10.0,
}
WAIT, NAVIGATE, CAST = 0, 1, 2


class Moth:
    """The model's state and its update in one step of dt."""

    events = True

    def __init__(self, parameters: Mapping[str, Any], wind: Wind, dt_s: float) -> None:
        self.p, self.dt_s = parameters, dt_s
        self.code, self.clipped = WAIT, 0
        self.side = 0.0  # drawn in the first step
        self.memory_s: float = parameters["memory_s"]
        self.sweep_s: float = parameters["sweep_s"]
        self.entered_s: float | None = None  # of the puff it is in
        self.last_odor_s: float | None = None
        self.sweeps, self.sweep_began_s = 0, 0.0

    def variables(self) -> dict[str, float]:
        """State at the start of the step to come."""
        return {"side": self.side, "memory_s": self.memory_s, "sweep_s": self.sweep_s}

    def decide(self, now: Sensed) -> Action:
        """One step: puff, mode, reversal, velocity."""
        first_side, turn_sign, turn_a, turn_b = now.u
        margin = math.inf
        if self.side == 0.0:
            self.side = 1.0 if first_side < 0.5 else -1.0
            margin = abs(first_side - 0.5)
        self.smell(now)
        was, self.code = self.code, self.mode(now)
        if self.code == CAST:
            self.sweep(now.t_s, was != CAST)

        speed = self.p["speed_mm_s"]
        heading = now.heading_rad
        upwind = now.phi + math.pi
        if self.code == NAVIGATE:
            heading = upwind - self.side * math.radians(self.navigation_angle_deg(now))
        elif self.p[{CAST: "casting", WAIT: "waiting"}[self.code]] == "still":
            speed = 0.0
        elif self.code == WAIT and self.p["waiting"] == "random_walk":
            size_deg = self.p["wait_turn_deg"]
            size_deg += self.p["wait_turn_sd_deg"] * normal(turn_a, turn_b)
            sign = 1.0 if turn_sign < 0.5 else -1.0
            margin = min(margin, abs(turn_sign - 0.5))
            heading += sign * math.radians(size_deg) * math.sqrt(self.dt_s)
        else:
            heading = upwind - self.side * math.radians(self.p["cast_angle_deg"])
        return Action(
            speed * math.cos(heading), speed * math.sin(heading), heading, self.code, margin
        )

    def smell(self, now: Sensed) -> None:
        """Time in the puff, and what it is good for."""
        if not now.in_odor:
            self.entered_s = None
            return
        if self.entered_s is None:
            self.entered_s = now.t_s
        self.last_odor_s = now.t_s
        if self.p["navigation"] == "liberzon_2018":
            crossing_s = now.t_s - self.entered_s + self.dt_s
            self.memory_s = crossing_s
            self.sweep_s = self.p["crossing_gain"] * crossing_s

    def mode(self, now: Sensed) -> int:
        """Wait before the first odour, navigate while it is remembered, else cast."""
        if self.last_odor_s is None:
            return WAIT
        if now.in_odor or exceeds(self.memory_s, now.t_s - self.last_odor_s):
            return NAVIGATE
        return CAST

    def sweep(self, t_s: float, begins: bool) -> None:
        """Turn at the beginning of a cast and at the end of each sweep."""
        if begins:
            self.sweeps = 0
        elif self.p["casting"] in ("still", "straight") or not reaches(
            t_s, self.sweep_began_s + self.length_s()
        ):
            return
        self.side = -self.side
        self.sweeps += 1
        self.sweep_began_s = t_s

    def length_s(self) -> float:
        """How long the sweep lasts."""
        k, casting = self.sweeps, self.p["casting"]
        factor: float = 1.0
        if casting == "growing" and k > 2:
            factor = self.p["growth"] ** (k - 2)
        if casting == "carde1" and k % 6 == 0:
            factor = 3.0
        if casting == "carde2" and k % 7 == 0:
            factor = 7.0
        return factor * self.sweep_s

    def navigation_angle_deg(self, now: Sensed) -> float:
        """Angle to upwind while odour is remembered."""
        constant: float = self.p["nav_angle_deg"]
        if self.p["navigation"] == "angled":
            return constant
        if self.p["navigation"] == "li_constant":
            return 0.0 if now.in_odor else constant
        if self.p["navigation"] == "li_progressive":
            since_s = now.t_s - (self.last_odor_s or 0.0)
            return 10.0 if exceeds(0.1, since_s) else 65.0 if exceeds(0.3, since_s) else 80.0
        return 0.0


def simulate(start: Mapping[str, Any], settings: Mapping[str, Any], plume: Plume) -> dict[str, Any]:
    """Simulate one agent; see :func:`plumenav.references._loop.run`."""
    return run(start, settings, plume, Moth, DRAWS)
