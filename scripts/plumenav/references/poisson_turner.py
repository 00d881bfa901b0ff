"""Reference for poisson_turner: turns at random times, and smells nothing it acts on.

Source: Demir, Kadakia, Anderson, Clark & Emonet (2020) eLife 9:e57524, the walk of its simulations
without stops and with alpha = 0. The heading's mean cosine decays at the rate

    1/tau = lambda (1 - cos(mean) exp(-sd^2 / 2)) + drift^2 / 2
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from plumenav.references._loop import Action, Sensed, Wind, normal, run
from plumenav.references._plume import Plume

SOURCE = "Demir et al. 2020, eLife 9:e57524 (alpha = 0, no stops)"
DRAWS = ("turn", "direction", "size_a", "size_b", "drift_a", "drift_b")
EXAMPLE_PARAMETERS: dict[str, Any] = {
    "speed_mm_s": 10.1,
    "turn_hz": 1.0 / 0.75,
    "turn_mean_deg": 30.0,
    "turn_sd_deg": 8.0,
    "drift_sd_deg": 20.0 / math.sqrt(89.94),
}
WALK, TURN = 0, 1


class PoissonTurner:
    """Straight on, until a turn to either side."""

    events = False

    def __init__(self, parameters: Mapping[str, Any], wind: Wind, dt_s: float) -> None:
        self.p, self.dt_s = parameters, dt_s
        self.code, self.clipped = WALK, 0

    def variables(self) -> dict[str, float]:
        """No state but position and heading."""
        return {}

    def decide(self, now: Sensed) -> Action:
        """One step."""
        p, h = self.p, now.heading_rad
        turn, direction, size_a, size_b, drift_a, drift_b = now.u
        probability = p["turn_hz"] * self.dt_s
        self.clipped += probability > 1.0
        turns, margin = turn < probability, abs(turn - probability)
        if turns:
            margin = min(margin, abs(direction - 0.5))
            side = 1.0 if direction < 0.5 else -1.0
            change_deg = side * (p["turn_mean_deg"] + p["turn_sd_deg"] * normal(size_a, size_b))
        else:
            change_deg = p["drift_sd_deg"] * math.sqrt(self.dt_s) * normal(drift_a, drift_b)
        return Action(
            p["speed_mm_s"] * math.cos(h),
            p["speed_mm_s"] * math.sin(h),
            h + math.radians(change_deg),
            TURN if turns else WALK,
            margin,
        )


def simulate(start: Mapping[str, Any], settings: Mapping[str, Any], plume: Plume) -> dict[str, Any]:
    """Simulate one agent; see :func:`plumenav.references._loop.run`."""
    return run(start, settings, plume, PoissonTurner, DRAWS)
