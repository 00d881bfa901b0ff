"""Reference for surge_spiral: upwind in odour, an Archimedean spiral after losing it.

Source: after Lochmatter & Martinoli (2009) "Tracking an odor plume in a laminar wind field with the
crosswind-surge algorithm", https://infoscience.epfl.ch/record/166172, who compare surge-cast with
it; definitions and values that the abstract does not give are those of docs/conventions.md.

    r = b a,    b = gap / 2 pi,    arc length  b/2 (a sqrt(1 + a^2) + asinh a)
"""

from __future__ import annotations

import cmath
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
    "gap_mm": 10.0,
    "radius_mm": 60.0,
    "spiral_side": "lost",
}


def angle_at(length: float) -> float:
    """Angle after a length (in units of b) along the spiral, by halving an interval."""
    low, high = 0.0, length
    for _ in range(200):
        a = 0.5 * (low + high)
        if a in (low, high):
            break
        if 0.5 * (a * math.sqrt(1.0 + a * a) + math.asinh(a)) < length:
            low = a
        else:
            high = a
    return 0.5 * (low + high)


class SurgeSpiral:
    """The robot's state and its update in one step of dt."""

    events = True

    def __init__(self, parameters: Mapping[str, Any], wind: Wind, dt_s: float) -> None:
        self.p, self.dt_s = parameters, dt_s
        self.b_mm = parameters["gap_mm"] / (2.0 * math.pi)
        self.code, self.clipped = SEARCH, 0
        self.search = Search(parameters["search_leg_mm"])
        self.lost = LostPlume(parameters["spiral_side"] == "lost")
        self.travelled_mm = 0.0
        self.side, self.axis = 1.0, 0.0

    def variables(self) -> dict[str, float]:
        """State at the start of the step to come."""
        return {"side": self.side, "found": self.lost.met}

    def decide(self, now: Sensed) -> Action:
        """One step: contact, loss, end of the spiral, velocity."""
        p, step_mm = self.p, self.p["speed_mm_s"] * self.dt_s
        u_side, u_search = now.u
        margin = math.inf
        if now.in_odor:
            if self.code != TRACK:
                self.lost.met, margin = heading_side(now)
            self.code, self.travelled_mm = TRACK, 0.0
            self.lost.since_odor_mm = (0.0, 0.0)
        elif self.code == TRACK and completes(self.travelled_mm, p["lost_mm"]):
            self.side, margin = self.lost.side(now, u_side)
            self.axis = now.phi + math.pi
            self.code, self.travelled_mm = RECOVER, 0.0
        elif self.code == RECOVER:
            radius_mm = self.b_mm * angle_at(self.travelled_mm / self.b_mm)
            margin = abs(radius_mm - p["radius_mm"])
            if completes(radius_mm, p["radius_mm"]):
                self.code = SEARCH
                self.search.restart()

        if self.code == RECOVER:
            velocity, heading = self.along_spiral(step_mm)
        else:
            heading = now.phi + math.pi
            if self.code == SEARCH:
                heading = self.search.heading(now, u_search, step_mm)
            velocity = cmath.rect(p["speed_mm_s"], heading)
        self.travelled_mm += step_mm
        self.lost.move(velocity.real, velocity.imag, self.dt_s)
        return Action(velocity.real, velocity.imag, heading, self.code, margin)

    def along_spiral(self, step_mm: float) -> tuple[complex, float]:
        """Velocity of a step along the spiral, x + iy, and the direction of it at its end."""
        before = angle_at(self.travelled_mm / self.b_mm)
        after = angle_at((self.travelled_mm + step_mm) / self.b_mm)
        place = [cmath.rect(self.b_mm * a, self.axis - self.side * a) for a in (before, after)]
        heading = self.axis - self.side * (after + math.atan(after))
        chord = place[1] - place[0]
        return self.p["speed_mm_s"] * chord / abs(chord), heading


def simulate(start: Mapping[str, Any], settings: Mapping[str, Any], plume: Plume) -> dict[str, Any]:
    """Simulate one agent; see :func:`plumenav.references._loop.run`."""
    return run(start, settings, plume, SurgeSpiral, DRAWS)
