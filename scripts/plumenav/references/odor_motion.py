"""Reference for odor_motion: a reconstruction of navigation by odour motion between the antennae.

Source: reconstruction (docs/conventions.md) after Kadakia et al. (2022) "Odour motion sensing
enhances navigation of complex plumes", Nature 611:754, https://doi.org/10.1038/s41586-022-05423-4;
no agent code of that publication is public. The walk is that of frequency_intermittency. With r the
logarithm of a side's odour and LP a low-pass filter:

    M = < LP(r_R) r_L - r_R LP(r_L) >     above 0: right side first, odour moves right to left
    G = < r_R - r_L >                     above 0: more on the right
    P(left) = sigmoid(s (alpha w + beta ON) - g_M M / scale_M - g_G G / scale_G)
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from plumenav.references import frequency_intermittency
from plumenav.references._loop import Sensed, Wind, run
from plumenav.references._plume import Plume
from plumenav.references.frequency_intermittency import FrequencyIntermittency, sigmoid

SOURCE = "reconstruction after Kadakia et al. 2022, Nature 611:754"
DRAWS = frequency_intermittency.DRAWS
# values at which the contract tests run this file
EXAMPLE_PARAMETERS: dict[str, Any] = {
    **frequency_intermittency.EXAMPLE_PARAMETERS,
    "g_motion": 1.0,
    "g_gradient": 1.0,
    "motion_scale": 0.08,
    "gradient_scale": 0.04,
    "tau_motion_s": 0.015,
    "tau_average_s": 0.25,
    "levels": 255.0,
    "floor_levels": 5.0,
}


class OdorMotion(FrequencyIntermittency):
    """The walk, and what its two antennae tell."""

    bilateral = True

    def __init__(self, parameters: Mapping[str, Any], wind: Wind, dt_s: float) -> None:
        super().__init__(parameters, wind, dt_s)
        self.delayed = (0.0, 0.0)  # left, right
        self.motion = self.gradient = 0.0

    def variables(self) -> dict[str, float]:
        """State at the start of the step to come."""
        return {**super().variables(), "motion": self.motion, "gradient": self.gradient}

    def remember(self, now: Sensed) -> None:
        """As frequency_intermittency; and the detectors, their delayed sides not yet renewed."""
        super().remember(now)
        p, dt = self.p, self.dt_s
        left, right = (
            math.log1p(max(p["levels"] * C - p["floor_levels"], 0.0))
            for C in (now.odor_left, now.odor_right)
        )
        late_left, late_right = self.delayed
        keep = math.exp(-dt / p["tau_average_s"])
        self.motion = keep * self.motion + (1.0 - keep) * (late_right * left - right * late_left)
        self.gradient = keep * self.gradient + (1.0 - keep) * (right - left)
        stay = math.exp(-dt / p["tau_motion_s"]) if p["tau_motion_s"] > 0.0 else 0.0
        self.delayed = (
            stay * late_left + (1.0 - stay) * left,
            stay * late_right + (1.0 - stay) * right,
        )

    def side(self, now: Sensed, direction: float) -> tuple[float, float]:
        """Side of the turn (+1: left), and how close it was to the other one."""
        p = self.p
        left_of = self.to_upwind(now)
        s = 1.0 if left_of >= 0.0 else -1.0
        M_hat = self.motion / p["motion_scale"]
        G_hat = self.gradient / p["gradient_scale"]
        p_left = sigmoid(s * self.upwind() - p["g_motion"] * M_hat - p["g_gradient"] * G_hat)
        return (1.0 if direction < p_left else -1.0), min(abs(direction - p_left), abs(left_of))


def simulate(start: Mapping[str, Any], settings: Mapping[str, Any], plume: Plume) -> dict[str, Any]:
    """Simulate one agent; see :func:`plumenav.references._loop.run`."""
    return run(start, settings, plume, OdorMotion, DRAWS)
