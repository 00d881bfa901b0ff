"""Reference for on_off_bilateral: the ON/OFF fly, steered by the difference between its antennae.

Source: Alvarez-Salvado et al. (2018) "Elementary sensory-motor transformations underlying olfactory
navigation in walking fruit-flies", eLife 7:e37815, https://doi.org/10.7554/eLife.37815, bilateral
version of its published simulation. To the equations of on_off it adds, L and R the antennae,

    dh/dt += k_bil (C_L / (C_L + beta + A_on) - C_R / (C_R + beta + A_on)),  left is positive
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from plumenav.references import on_off
from plumenav.references._loop import Action, Sensed, run
from plumenav.references._plume import Plume

SOURCE = "Alvarez-Salvado et al. 2018, eLife 7:e37815"
DRAWS = on_off.DRAWS
# values of the published simulations, at which the contract tests run this file
EXAMPLE_PARAMETERS: dict[str, Any] = {**on_off.EXAMPLE_PARAMETERS, "bilateral_deg_s": 40.0}


class OnOffBilateral(on_off.OnOff):
    """The ON/OFF model and its bilateral turn."""

    bilateral = True

    def decide(self, now: Sensed) -> Action:
        """As on_off; A_on is the one from before its update."""
        a_on = self.a_on
        action = super().decide(now)
        H_left, H_right = (
            C / (C + self.p["beta"] + a_on)
            for C in (max(0.0, now.odor_left), max(0.0, now.odor_right))
        )
        turn_deg = self.p["bilateral_deg_s"] * (H_left - H_right) * self.dt_s
        return action._replace(heading_rad=action.heading_rad + math.radians(turn_deg))


def simulate(start: Mapping[str, Any], settings: Mapping[str, Any], plume: Plume) -> dict[str, Any]:
    """Simulate one agent; see :func:`plumenav.references._loop.run`."""
    return run(start, settings, plume, OnOffBilateral, DRAWS)
