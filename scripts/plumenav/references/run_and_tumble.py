"""Reference for run_and_tumble: tumble sooner where it does not smell more and more.

Source: Berg & Brown (1972) Nature 239:500 for the behaviour; rates in their standard forms. F is
the odour C, or ln(C + c0), m its low-pass with time constant tau, D = dm/dt the filtered change:

    exponential:  lambda = lambda0 exp(-chi D)
    logarithmic:  lambda = lambda0 (1 - chi D), not below 0
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from plumenav.references._loop import Action, Sensed, Wind, normal, run
from plumenav.references._plume import Plume

SOURCE = "Berg & Brown 1972, Nature 239:500 (standard form)"
DRAWS = ("tumble", "angle", "size_a", "size_b", "turn_a", "turn_b")
EXAMPLE_PARAMETERS: dict[str, Any] = {
    "speed_mm_s": 10.0,
    "response": "logarithmic",
    "tumble_hz": 1.0,
    "chi_s": 5.0,
    "tau_s": 0.5,
    "c0": 0.01,
    "tumble": "uniform",
    "tumble_sd_deg": 60.0,
    "turn_sd_deg": 10.0,
}
RUN, TUMBLE = 0, 1


class RunAndTumble:
    """What was smelled before, and when to tumble."""

    events = False

    def __init__(self, parameters: Mapping[str, Any], wind: Wind, dt_s: float) -> None:
        self.p, self.dt_s = parameters, dt_s
        if parameters["response"] not in ("exponential", "logarithmic"):
            raise ValueError(
                f"response {parameters['response']!r}; known: exponential, logarithmic"
            )
        if parameters["tumble"] not in ("uniform", "normal"):
            raise ValueError(f"tumble {parameters['tumble']!r}; known: uniform, normal")
        self.code, self.clipped = RUN, 0
        self.m: float | None = None

    def variables(self) -> dict[str, float]:
        """State at the start of the step to come."""
        return {"smelled": self.m or 0.0}

    def decide(self, now: Sensed) -> Action:
        """One step."""
        p, dt, h = self.p, self.dt_s, now.heading_rad
        tumble, angle, size_a, size_b, turn_a, turn_b = now.u
        probability = self.rate_hz(max(0.0, now.odor)) * dt
        self.clipped += probability > 1.0
        tumbles = tumble < probability
        turn = math.radians(p["turn_sd_deg"]) * math.sqrt(dt) * normal(turn_a, turn_b)
        if tumbles and p["tumble"] == "uniform":
            turn += (2.0 * angle - 1.0) * math.pi
        elif tumbles:
            turn += math.radians(p["tumble_sd_deg"]) * normal(size_a, size_b)
        return Action(
            p["speed_mm_s"] * math.cos(h),
            p["speed_mm_s"] * math.sin(h),
            h + turn,
            TUMBLE if tumbles else RUN,
            abs(tumble - probability),
        )

    def rate_hz(self, C: float) -> float:
        """Rate of tumbling; smells C."""
        p = self.p
        logarithmic = p["response"] == "logarithmic"
        F = math.log(C + p["c0"]) if logarithmic else C
        if self.m is None:
            self.m = F
        before = self.m
        self.m = before + (F - before) * (1.0 - math.exp(-self.dt_s / p["tau_s"]))
        D = (self.m - before) / self.dt_s
        if logarithmic:
            return float(max(0.0, p["tumble_hz"] * (1.0 - p["chi_s"] * D)))
        return float(p["tumble_hz"] * math.exp(min(20.0, max(-20.0, -p["chi_s"] * D))))


def simulate(start: Mapping[str, Any], settings: Mapping[str, Any], plume: Plume) -> dict[str, Any]:
    """Simulate one agent; see :func:`plumenav.references._loop.run`."""
    return run(start, settings, plume, RunAndTumble, DRAWS)
