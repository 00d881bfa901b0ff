"""What the references of the robots share: a leg being walked, and where a plume is.

Written from docs/conventions.md (Robots).
"""

from __future__ import annotations

import math

from plumenav.references._loop import Sensed

LENGTH_SLACK_MM = 1e-9
OFFSET_MM = 1e-6
SEARCH, TRACK, RECOVER = 0, 1, 2


def completes(a_mm: float, b_mm: float) -> bool:
    """a >= b for lengths, with slack against rounding."""
    return a_mm >= b_mm - LENGTH_SLACK_MM


def heading_side(now: Sensed) -> tuple[float, float]:
    """Side of downwind to which a robot is heading, and the margin of saying so."""
    across = math.sin(now.heading_rad - now.phi)
    return (1.0 if across >= 0.0 else -1.0), abs(across)


class Search:
    """Straight legs in random directions, each kept to its end."""

    def __init__(self, leg_mm: float) -> None:
        self.leg_mm = leg_mm
        self.heading_rad = 0.0
        self.travelled_mm = math.inf  # nothing drawn yet: the first leg is due

    def restart(self) -> None:
        """Draw a new direction in the next step of searching."""
        self.travelled_mm = math.inf

    def heading(self, now: Sensed, u: float, step_mm: float) -> float:
        """Heading of a step of searching."""
        if completes(self.travelled_mm, self.leg_mm):
            self.heading_rad = now.phi + 2.0 * math.pi * (u - 0.5)
            self.travelled_mm = 0.0
        self.travelled_mm += step_mm
        return self.heading_rad


class LostPlume:
    """Side on which a plume is that was met, followed upwind, and lost."""

    def __init__(self, estimated: bool) -> None:
        self.estimated = estimated
        self.met = 1.0
        self.since_odor_mm = (0.0, 0.0)

    def move(self, vx_mm_s: float, vy_mm_s: float, dt_s: float) -> None:
        """Remember a step of one's own way."""
        x, y = self.since_odor_mm
        self.since_odor_mm = (x + vx_mm_s * dt_s, y + vy_mm_s * dt_s)

    def side(self, now: Sensed, u: float) -> tuple[float, float]:
        """The side (+1 left of downwind), and the margin of the decision."""
        if not self.estimated:
            return (1.0 if u < 0.5 else -1.0), abs(u - 0.5)
        x, y = self.since_odor_mm
        left_mm = x * -math.sin(now.phi) + y * math.cos(now.phi)
        margin = abs(abs(left_mm) - OFFSET_MM)
        if abs(left_mm) <= OFFSET_MM:
            return self.met, margin
        return -math.copysign(1.0, left_mm), margin
