"""Reference for surge_cast: fly upwind after odour is met, sweep crosswind after it is lost.

Source: van Breugel & Dickinson (2014) "Plume-tracking behavior of flying Drosophila emerges from a
set of distinct sensory-motor reflexes", Current Biology 24:274-286,
https://doi.org/10.1016/j.cub.2013.12.023, and the authors' simulation of it, without height.

Meeting odour starts a timer after which the fly surges (even if the odour is gone by then); losing
it starts a timer after which it casts, reversing every `cast_period_s`, first after half of that.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from plumenav.references._loop import Action, Sensed, Wind, exceeds, reaches, run
from plumenav.references._plume import Plume

SOURCE = "van Breugel & Dickinson 2014, Curr Biol 24:274"
DRAWS = ("first_side",)
# delays of the article's abstract, at which the contract tests run this file
EXAMPLE_PARAMETERS: dict[str, Any] = {
    "surge_delay_s": 0.19,
    "cast_delay_s": 0.45,
    "cast_period_s": 0.5,
    "memory_s": 10.0,
    "upwind_fraction": 0.04,
    "speeds": "published",
    "matched_speed_mm_s": 10.0,
}
CAST, SURGE = 0, 1


class SurgeCast:
    """The model's state and its update in one step of dt."""

    events = True

    def __init__(self, parameters: Mapping[str, Any], wind: Wind, dt_s: float) -> None:
        self.p = parameters
        speeds = {
            "published": (2.0 * wind.speed_mm_s, wind.speed_mm_s),
            "matched": (parameters["matched_speed_mm_s"], parameters["matched_speed_mm_s"] / 2.0),
        }
        self.surge_speed, self.cast_speed = speeds[parameters["speeds"]]
        self.code, self.clipped = CAST, 0
        self.mode = CAST
        self.side = 0.0  # drawn in the first step
        self.reversal_due_s: float = parameters["cast_period_s"] / 2.0
        self.last_odor_s: float | None = None
        self.surge_pending_s: float | None = None
        self.cast_pending_s: float | None = None

    def variables(self) -> dict[str, float]:
        """State at the start of the step to come."""
        return {"side": self.side}

    def decide(self, now: Sensed) -> Action:
        """One step: timers, switch of mode, reversal, velocity."""
        p, t = self.p, now.t_s
        margin = math.inf
        if self.side == 0.0:
            (first_side,) = now.u
            self.side = 1.0 if first_side < 0.5 else -1.0
            margin = abs(first_side - 0.5)
        self.start_timers(t, now.in_odor)

        if self.surge_pending_s is not None and exceeds(
            t - self.surge_pending_s, p["surge_delay_s"]
        ):
            self.mode = SURGE
            self.surge_pending_s = self.cast_pending_s = None
        if self.cast_pending_s is not None and exceeds(t - self.cast_pending_s, p["cast_delay_s"]):
            self.mode = CAST
            self.surge_pending_s = self.cast_pending_s = None
            self.reversal_due_s = t + p["cast_period_s"] / 2.0
        if self.mode == CAST and reaches(t, self.reversal_due_s):
            self.side = -self.side
            self.reversal_due_s += p["cast_period_s"]

        along, left, heading = self.motion(now.phi)
        cos_phi, sin_phi = math.cos(now.phi), math.sin(now.phi)
        return Action(
            along * cos_phi - left * sin_phi,
            along * sin_phi + left * cos_phi,
            heading,
            self.mode,
            margin,
        )

    def start_timers(self, t: float, in_odor: bool) -> None:
        """Odour makes a surge pending; its absence, during a surge and not too late, a cast."""
        if in_odor:
            self.last_odor_s = t
            if self.surge_pending_s is None:
                self.surge_pending_s = t
            return
        remembered = self.last_odor_s is not None and exceeds(
            self.p["memory_s"], t - self.last_odor_s
        )
        if self.mode == SURGE and remembered and self.cast_pending_s is None:
            self.cast_pending_s = t

    def motion(self, phi: float) -> tuple[float, float, float]:
        """Velocity along the wind and to the left of it, mm/s, and the heading."""
        fraction = self.p["upwind_fraction"]
        if self.mode == SURGE:
            return -self.surge_speed, 0.0, phi + math.pi
        return (
            -fraction * self.cast_speed,
            self.side * self.cast_speed,
            phi + self.side * math.atan2(1.0, -fraction),
        )


MODEL = SurgeCast


def simulate(start: Mapping[str, Any], settings: Mapping[str, Any], plume: Plume) -> dict[str, Any]:
    """Simulate one agent; see :func:`plumenav.references._loop.run`."""
    return run(start, settings, plume, SurgeCast, DRAWS)
