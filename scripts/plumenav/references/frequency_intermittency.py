"""Reference for frequency_intermittency: two memories of odour bias a walking fly's turns upwind.

Source: Jayaram, Kadakia & Emonet (2022) "Sensing complementary temporal features of odor signals
enhances navigation of diverse turbulent plumes", eLife 11:e72415,
https://doi.org/10.7554/eLife.72415. Angles in the parameters are degrees.

    w = sum_k exp(-(t - t_k) / tau_turn), t_k the times of whiffs                    (frequency)
    tau_on dON/dt = K - ON,  K = 0.5 [in odour]  or  C / (C + k_d + A)            (intermittency)
    tau_A dA/dt = C - A
    turns at a constant rate; towards upwind with probability 1 / (1 + exp(-(alpha w + beta ON)))
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from plumenav.references._loop import Action, Sensed, Wind, exceeds, normal, run
from plumenav.references._plume import Plume

SOURCE = "Jayaram et al. 2022, eLife 11:e72415"
DRAWS = ("turn", "direction", "size_a", "size_b")
# values of the published simulations, at which the contract tests run this file
EXAMPLE_PARAMETERS: dict[str, Any] = {
    "alpha": 0.242,
    "beta": 3.872,
    "tau_turn_s": 2.0,
    "refractory_s": 0.085,
    "drive": "binary",
    "k_d": 3.0 / 2.83,
    "tau_adaptation_s": 9.8,
    "tau_on_s": 2.0,
    "turn_hz": 1.333,
    "turn_mean_deg": 30.0,
    "turn_sd_deg": 8.0,
    "speed_mm_s": 10.1,
}
WALK, TURN = 0, 1


class FrequencyIntermittency:
    """The model's state and its update in one step of dt."""

    events = True

    def __init__(self, parameters: Mapping[str, Any], wind: Wind, dt_s: float) -> None:
        if parameters["drive"] not in ("binary", "adapting"):
            raise ValueError(f"drive {parameters['drive']!r}; known: binary, adapting")
        self.p, self.dt_s = parameters, dt_s
        self.code, self.clipped = WALK, 0
        self.was_in_odor = False
        self.last_whiff_s = -math.inf
        self.w = self.on = self.adaptation = 0.0

    def variables(self) -> dict[str, float]:
        """State at the start of the step to come."""
        return {"w": self.w, "adaptation": self.adaptation, "on": self.on}

    def decide(self, now: Sensed) -> Action:
        """Remember, then turn or not."""
        self.remember(now)
        p_turn = self.p["turn_hz"] * self.dt_s
        self.clipped += p_turn > 1.0
        turn, direction, size_a, size_b = now.u
        margin = abs(turn - p_turn)
        heading, code = now.heading_rad, WALK
        if turn < p_turn:
            side, closeness = self.side(now, direction)
            margin = min(margin, closeness)
            size_deg = self.p["turn_mean_deg"] + self.p["turn_sd_deg"] * normal(size_a, size_b)
            heading, code = heading + side * math.radians(size_deg), TURN
        speed = self.p["speed_mm_s"]
        return Action(
            speed * math.cos(now.heading_rad),
            speed * math.sin(now.heading_rad),
            heading,
            code,
            margin,
        )

    def remember(self, now: Sensed) -> None:
        """Whiffs into w; presence of odour into ON, from the adaptation before its update."""
        p, dt = self.p, self.dt_s
        onset = now.in_odor and not self.was_in_odor
        whiff = onset and exceeds(now.t_s - self.last_whiff_s, p["refractory_s"])
        if whiff:
            self.last_whiff_s = now.t_s
        self.was_in_odor = now.in_odor
        self.w = self.w * math.exp(-dt / p["tau_turn_s"]) + whiff

        C = max(0.0, now.odor)
        if p["drive"] == "binary":
            K = 0.5 * now.in_odor
        else:
            K = C / (C + p["k_d"] * now.threshold + self.adaptation) if C > 0.0 else 0.0
        self.on += (K - self.on) * dt / p["tau_on_s"]
        self.adaptation += (C - self.adaptation) * dt / p["tau_adaptation_s"]

    def upwind(self) -> float:
        """How strongly turns are biased upwind."""
        bias: float = self.p["alpha"] * self.w + self.p["beta"] * self.on
        return bias

    def to_upwind(self, now: Sensed) -> float:
        """Sine of the angle from the heading to upwind: above 0 upwind is to the left."""
        return math.sin(now.heading_rad - now.phi)

    def side(self, now: Sensed, direction: float) -> tuple[float, float]:
        """Side of the turn (+1: left), and how close it was to the other one."""
        p_upwind = sigmoid(self.upwind())
        left_of = self.to_upwind(now)
        side = 1.0 if (direction < p_upwind) == (left_of >= 0.0) else -1.0
        return side, min(abs(direction - p_upwind), abs(left_of))


def sigmoid(x: float) -> float:
    """1 / (1 + exp(-x)), in a form that cannot overflow."""
    return 0.5 * (1.0 + math.tanh(0.5 * x))


def simulate(start: Mapping[str, Any], settings: Mapping[str, Any], plume: Plume) -> dict[str, Any]:
    """Simulate one agent; see :func:`plumenav.references._loop.run`."""
    return run(start, settings, plume, FrequencyIntermittency, DRAWS)
