"""Reference for zigzag: upwind at an angle in odour, back crosswind after leaving the plume.

Source: the casting algorithm of Lochmatter & Martinoli (2009) "Tracking an odor plume in a laminar
wind field with the crosswind-surge algorithm", https://infoscience.epfl.ch/record/166172;
definitions and values that the abstract does not give are those of docs/conventions.md.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from plumenav.references._loop import Action, Sensed, Wind, run
from plumenav.references._plume import Plume
from plumenav.references._robot import RECOVER, SEARCH, TRACK, Search, completes, heading_side

SOURCE = "after Lochmatter & Martinoli 2009, values ours"
DRAWS = ("search",)
EXAMPLE_PARAMETERS: dict[str, Any] = {
    "speed_mm_s": 50.0,
    "lost_mm": 10.0,
    "search_leg_mm": 100.0,
    "beta_deg": 30.0,
    "cast_mm": 80.0,
}


class Zigzag:
    """The robot's state and its update in one step of dt."""

    events = True

    def __init__(self, parameters: Mapping[str, Any], wind: Wind, dt_s: float) -> None:
        self.p, self.dt_s = parameters, dt_s
        self.code, self.clipped = SEARCH, 0
        self.search = Search(parameters["search_leg_mm"])
        self.travelled_mm = 0.0
        self.side = 1.0

    def variables(self) -> dict[str, float]:
        """State at the start of the step to come."""
        return {"side": self.side}

    def decide(self, now: Sensed) -> Action:
        """One step: contact, loss, end of the way back, velocity."""
        p, step_mm = self.p, self.p["speed_mm_s"] * self.dt_s
        margin = math.inf
        if now.in_odor:
            if self.code == SEARCH:
                self.side, margin = heading_side(now)
            self.code, self.travelled_mm = TRACK, 0.0
        elif self.code == TRACK and completes(self.travelled_mm, p["lost_mm"]):
            self.code, self.travelled_mm = RECOVER, 0.0
            self.side = -self.side
        elif self.code == RECOVER and completes(self.travelled_mm, p["cast_mm"]):
            self.code = SEARCH
            self.search.restart()

        upwind = now.phi + math.pi
        if self.code == TRACK:
            heading = upwind - self.side * math.radians(p["beta_deg"])
        elif self.code == RECOVER:
            heading = now.phi + self.side * math.pi / 2.0
        else:
            heading = self.search.heading(now, now.u[0], step_mm)
        self.travelled_mm += step_mm
        return Action(
            p["speed_mm_s"] * math.cos(heading),
            p["speed_mm_s"] * math.sin(heading),
            heading,
            self.code,
            margin,
        )


def simulate(start: Mapping[str, Any], settings: Mapping[str, Any], plume: Plume) -> dict[str, Any]:
    """Simulate one agent; see :func:`plumenav.references._loop.run`."""
    return run(start, settings, plume, Zigzag, DRAWS)
