"""Reference for NAME OF YOUR MODEL: what it says, in one sentence.

Copy this file to references/<the model's name>.py (or, outside the repository, to a file of that
name with PLUGIN_KIND = "reference" at its top). Write it from the paper, with the paper's symbols,
one agent at a time, as plainly as you can; do not look at the fast model while you do, and import
nothing of plumenav but references._loop, references._plume, tables and rng. The contract tests find
it by itself.

Source: authors (year), journal, DOI. The equations:

    here: upwind at a constant speed while in odour, a coin's side crosswind otherwise
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from plumenav.references._loop import Action, Sensed, Wind, run
from plumenav.references._plume import Plume

SOURCE = "Authors year, journal volume:page"
# names of the model's draws, in the order of docs/conventions.md; draw d is entry d of `now.u`
DRAWS = ("side",)
# parameters at which the contract tests run this file; names as in the fast model's Params
EXAMPLE_PARAMETERS: dict[str, Any] = {"speed_mm_s": 10.0}
CROSSWIND, UPWIND = 0, 1


class Template:
    """The model's state and its update in one step of dt."""

    # True if `in_odor` is used: a reading within 1e-9 of the threshold then counts as a tie
    events = True

    def __init__(self, parameters: Mapping[str, Any], wind: Wind, dt_s: float) -> None:
        self.speed_mm_s = parameters["speed_mm_s"]
        self.code = CROSSWIND  # before the first step
        self.clipped = 0  # steps in which an event probability exceeded 1

    def variables(self) -> dict[str, float]:
        """State variables worth showing, at the start of the step to come; may be empty."""
        return {}

    def decide(self, now: Sensed) -> Action:
        """One step: velocity over it, heading and code after it, margin of its decisions."""
        (side,) = now.u
        if now.in_odor:
            heading, code, margin = now.phi + math.pi, UPWIND, math.inf
        else:
            quarter = math.pi / 2.0 if side < 0.5 else -math.pi / 2.0
            heading, code, margin = now.phi + quarter, CROSSWIND, abs(side - 0.5)
        return Action(
            self.speed_mm_s * math.cos(heading),
            self.speed_mm_s * math.sin(heading),
            heading,
            code,
            margin,
        )


# with it, the model can be a part of another one (hybrid)
MODEL = Template


def simulate(start: Mapping[str, Any], settings: Mapping[str, Any], plume: Plume) -> dict[str, Any]:
    """Simulate one agent; see :func:`plumenav.references._loop.run`."""
    return run(start, settings, plume, Template, DRAWS)
