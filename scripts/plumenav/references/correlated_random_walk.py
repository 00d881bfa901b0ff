"""Reference for correlated_random_walk: the null model, which smells nothing it acts on.

Source: Codling, Plank & Benhamou (2008) "Random walk models in biology", Journal of the Royal
Society Interface 5:813-834, https://doi.org/10.1098/rsif.2008.0014: constant speed, heading that
diffuses. With sigma the heading's standard deviation per root second, tau = 2 / sigma^2:

    <|x(t) - x(0)|^2> = 2 v^2 tau (t - tau (1 - exp(-t / tau)))
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from plumenav.references._loop import Action, Sensed, Wind, normal, run
from plumenav.references._plume import Plume

SOURCE = "Codling, Plank & Benhamou 2008, J R Soc Interface 5:813"
DRAWS = ("turn_a", "turn_b")
EXAMPLE_PARAMETERS: dict[str, Any] = {"speed_mm_s": 10.0, "turn_sd_deg": 60.0}
WALK = 0


class CorrelatedRandomWalk:
    """Straight on, then a small normal turn."""

    events = False

    def __init__(self, parameters: Mapping[str, Any], wind: Wind, dt_s: float) -> None:
        self.speed = parameters["speed_mm_s"]
        self.turn_sd_rad = math.radians(parameters["turn_sd_deg"]) * math.sqrt(dt_s)
        self.code, self.clipped = WALK, 0

    def variables(self) -> dict[str, float]:
        """No state but position and heading."""
        return {}

    def decide(self, now: Sensed) -> Action:
        """One step."""
        turn_a, turn_b = now.u
        h = now.heading_rad
        return Action(
            self.speed * math.cos(h),
            self.speed * math.sin(h),
            h + self.turn_sd_rad * normal(turn_a, turn_b),
            WALK,
            math.inf,
        )


MODEL = CorrelatedRandomWalk


def simulate(start: Mapping[str, Any], settings: Mapping[str, Any], plume: Plume) -> dict[str, Any]:
    """Simulate one agent; see :func:`plumenav.references._loop.run`."""
    return run(start, settings, plume, CorrelatedRandomWalk, DRAWS)
