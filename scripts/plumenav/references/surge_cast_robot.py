"""Reference for surge_cast_robot: upwind in odour, crosswind to both sides after losing it.

Source: after Lochmatter & Martinoli (2009) "Tracking an odor plume in a laminar wind field with the
crosswind-surge algorithm", https://infoscience.epfl.ch/record/166172; definitions and values that
the abstract does not give are those of docs/conventions.md.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from plumenav.references._loop import Action, Sensed, Wind, run
from plumenav.references._plume import Plume
from plumenav.references._robot import (
    RECOVER,
    SEARCH,
    TRACK,
    LostPlume,
    Search,
    completes,
    heading_side,
)

SOURCE = "after Lochmatter & Martinoli 2009, values ours"
DRAWS = ("side", "search")
EXAMPLE_PARAMETERS: dict[str, Any] = {
    "speed_mm_s": 50.0,
    "lost_mm": 10.0,
    "search_leg_mm": 100.0,
    "cast_mm": 40.0,
    "cast_side": "lost",
}


class SurgeCastRobot:
    """The robot's state and its update in one step of dt."""

    events = True

    def __init__(self, parameters: Mapping[str, Any], wind: Wind, dt_s: float) -> None:
        self.p, self.dt_s = parameters, dt_s
        self.code, self.clipped = SEARCH, 0
        self.search = Search(parameters["search_leg_mm"])
        self.lost = LostPlume(parameters["cast_side"] == "lost")
        self.travelled_mm = 0.0
        self.sweeps: list[tuple[float, float]] = []  # (side, length) still to do

    def variables(self) -> dict[str, float]:
        """State at the start of the step to come."""
        return {"sweeps": float(len(self.sweeps)), "found": self.lost.met}

    def decide(self, now: Sensed) -> Action:
        """One step: contact, loss, end of a sweep, velocity."""
        p, step_mm = self.p, self.p["speed_mm_s"] * self.dt_s
        u_side, u_search = now.u
        margin = math.inf
        if now.in_odor:
            if self.code != TRACK:
                self.lost.met, margin = heading_side(now)
            self.code, self.travelled_mm = TRACK, 0.0
            self.lost.since_odor_mm = (0.0, 0.0)
        elif self.code == TRACK and completes(self.travelled_mm, p["lost_mm"]):
            side, margin = self.lost.side(now, u_side)
            self.sweeps = [(side, p["cast_mm"]), (-side, 2.0 * p["cast_mm"])]
            self.code, self.travelled_mm = RECOVER, 0.0
        elif self.code == RECOVER and completes(self.travelled_mm, self.sweeps[0][1]):
            self.sweeps, self.travelled_mm = self.sweeps[1:], 0.0
            if not self.sweeps:
                self.code = SEARCH
                self.search.restart()

        if self.code == TRACK:
            heading = now.phi + math.pi
        elif self.code == RECOVER:
            heading = now.phi + self.sweeps[0][0] * math.pi / 2.0
        else:
            heading = self.search.heading(now, u_search, step_mm)
        self.travelled_mm += step_mm
        vx = p["speed_mm_s"] * math.cos(heading)
        vy = p["speed_mm_s"] * math.sin(heading)
        self.lost.move(vx, vy, self.dt_s)
        return Action(vx, vy, heading, self.code, margin)


def simulate(start: Mapping[str, Any], settings: Mapping[str, Any], plume: Plume) -> dict[str, Any]:
    """Simulate one agent; see :func:`plumenav.references._loop.run`."""
    return run(start, settings, plume, SurgeCastRobot, DRAWS)
