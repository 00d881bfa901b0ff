"""Reference for finite_state: a controller that remembers one of M things between decisions.

Source: Verano, Panizon & Celani (2023) "Olfactory search with finite-state controllers", PNAS
120:e2304230120, https://doi.org/10.1073/pnas.2304230120. At every decision, action a and the next
memory m' are drawn together, given memory m and observation y (odour or not):

    a, m' ~ pi(a, m' | m, y)

Timing, actions and the side that is drawn at the start: docs/conventions.md.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from plumenav.references._loop import Action, Sensed, Wind, reaches, run
from plumenav.references._plume import Plume

SOURCE = "Verano, Panizon & Celani 2023, PNAS 120:e2304230120"
DRAWS = ("first_side", "choice")
# a controller of two memories: upwind in odour; without it sideways, sometimes resting
EXAMPLE_PARAMETERS: dict[str, Any] = {
    "table": "example",
    "rows": [
        [1, 0, "left", 1, 0.5],
        [1, 0, "left", 2, 0.5],
        [1, 1, "upwind", 1, 1.0],
        [2, 0, "right", 2, 0.25],
        [2, 0, "right", 1, 0.5],
        [2, 0, "stay", 2, 0.125],
        [2, 0, "downwind", 1, 0.125],
        [2, 1, "upwind", 1, 1.0],
    ],
    "start_memory": 1,
    "decision_interval_s": 0.5,
    "speed_mm_s": 10.0,
    "odor": "since_last",
}
STAY, UPWIND, DOWNWIND, CROSSWIND = 0, 1, 2, 3


class FiniteState:
    """The model's state and its update in one step of dt."""

    events = True

    def __init__(self, parameters: Mapping[str, Any], wind: Wind, dt_s: float) -> None:
        self.p, self.phi = parameters, wind.toward_rad
        self.policy: dict[tuple[int, int], list[tuple[str, int, float]]] = {}
        for m, y, action, after, probability in parameters["rows"]:
            self.policy.setdefault((m, y), []).append((action, after, probability))
        self.code, self.clipped = STAY, 0
        self.memory: int = parameters["start_memory"]
        self.action = "stay"
        self.side = 0  # drawn in the first step
        self.due_s = 0.0
        self.met_odor = False

    def variables(self) -> dict[str, float]:
        """State at the start of the step to come."""
        return {"side": self.side, "memory": self.memory}

    def decide(self, now: Sensed) -> Action:
        """One step: a decision if one is due, then the motion it asks for."""
        first_side, choice = now.u
        margin = math.inf
        if not self.side:
            self.side = 1 if first_side < 0.5 else -1
            margin = abs(first_side - 0.5)
        if self.p["odor"] == "at_decision":
            self.met_odor = now.in_odor
        else:
            self.met_odor = self.met_odor or now.in_odor
        if reaches(now.t_s, self.due_s):
            margin = min(margin, self.draw(choice))
            self.due_s += self.p["decision_interval_s"]
            self.met_odor = False
        if self.action == "stay":
            return Action(0.0, 0.0, now.heading_rad, STAY, margin)
        offset, code = {
            "upwind": (math.pi, UPWIND),
            "downwind": (0.0, DOWNWIND),
            "left": (self.side * math.pi / 2.0, CROSSWIND),
            "right": (-self.side * math.pi / 2.0, CROSSWIND),
        }[self.action]
        heading = self.phi + offset
        speed = self.p["speed_mm_s"]
        return Action(speed * math.cos(heading), speed * math.sin(heading), heading, code, margin)

    def draw(self, u: float) -> float:
        """Draw action and memory; return how far the draw was from another result."""
        options = [o for o in self.policy[self.memory, int(self.met_odor)] if o[2] > 0.0]
        edges, total = [], 0.0
        for _, _, probability in options:
            total += probability
            edges.append(total)
        passed = sum(u >= edge for edge in edges[:-1])
        self.action, self.memory, _ = options[passed]
        return min((abs(u - edge) for edge in edges[:-1]), default=math.inf)


MODEL = FiniteState


def simulate(start: Mapping[str, Any], settings: Mapping[str, Any], plume: Plume) -> dict[str, Any]:
    """Simulate one agent; see :func:`plumenav.references._loop.run`."""
    return run(start, settings, plume, FiniteState, DRAWS)
