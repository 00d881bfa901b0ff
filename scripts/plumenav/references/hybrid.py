"""Reference for hybrid: a memory of whiffs decides which of two models acts.

Source: the gate is this program's own (docs/conventions.md); the two models are those of their own
references. With t_k the times of whiffs (onsets of odour, not too soon after each other):

    w = sum_k exp(-(t - t_k) / memory_s)
    closed -> open: w > w_open          open -> closed: w <= w_close
    open: the inside model acts         closed: the outside model acts
"""

from __future__ import annotations

import importlib
import math
from collections.abc import Mapping
from types import ModuleType
from typing import Any

from plumenav.references import surge_cast, walk_stop_turn
from plumenav.references._loop import Action, Model, Sensed, Wind, exceeds, run
from plumenav.references._plume import Plume
from plumenav.references._run import model_class

SOURCE = "ours (the gate); the references of the two models"
SIDES = ("inside", "outside")
# of the example; other pairs have others
DRAWS = (
    *(f"inside {name}" for name in walk_stop_turn.DRAWS),
    *(f"outside {name}" for name in surge_cast.DRAWS),
)
EXAMPLE_PARAMETERS: dict[str, Any] = {
    "inside": {
        "model": "walk_stop_turn",
        "preset": None,
        "parameters": walk_stop_turn.EXAMPLE_PARAMETERS,
    },
    "outside": {
        "model": "surge_cast",
        "preset": None,
        "parameters": {**surge_cast.EXAMPLE_PARAMETERS, "speeds": "matched"},
    },
    "memory_s": 2.0,
    "w_open": 0.1,
    "w_close": None,
    "refractory_s": 0.1,
    "idle": "updates",
}


class Hybrid:
    """The gate with two models behind it, and its update in one step of dt."""

    def __init__(
        self,
        parameters: Mapping[str, Any],
        wind: Wind,
        dt_s: float,
        references: Mapping[str, ModuleType],
    ) -> None:
        self.p, self.dt_s = parameters, dt_s
        modules = {side: references[side] for side in SIDES}
        self.models: dict[str, Model] = {
            side: model_class(module)(parameters[side]["parameters"], wind, dt_s)
            for side, module in modules.items()
        }
        self.n_inside_draws = len(modules["inside"].DRAWS)
        self.events = True
        self.bilateral = any(getattr(model, "bilateral", False) for model in self.models.values())
        self.open, self.w, self.was_in_odor = False, 0.0, False
        self.last_whiff_s: float | None = None
        self.acted = dict.fromkeys(SIDES, 0)  # steps
        self.clipped = 0
        self.code = coded("outside", self.models["outside"].code)

    def variables(self) -> dict[str, float]:
        """State at the start of the step to come."""
        own = {
            f"{side} {name}": value
            for side, model in self.models.items()
            for name, value in model.variables().items()
        }
        return {"open": float(self.open), "w": self.w, **own}

    def decide(self, now: Sensed) -> Action:
        """One step: gate, then one model or both, of which one is heard."""
        self.w = self.w * math.exp(-self.dt_s / self.p["memory_s"]) + self.is_whiff(now)
        edge = self.p["w_open"]
        if self.open and self.p["w_close"] is not None:
            edge = self.p["w_close"]
        self.open = self.w > edge
        acting, idle = ("inside", "outside") if self.open else ("outside", "inside")
        draws = {"inside": now.u[: self.n_inside_draws], "outside": now.u[self.n_inside_draws :]}
        before = self.models[acting].clipped
        updates = self.p["idle"] == "updates"
        t_s = now.t_s if updates else self.acted[acting] * self.dt_s
        self.acted[acting] += 1
        action = self.models[acting].decide(now._replace(u=draws[acting], t_s=t_s))
        self.clipped += self.models[acting].clipped - before
        # before the first whiff there is nothing that could be rounded
        margin = min(action.margin, abs(self.w - edge) if self.w > 0.0 else math.inf)
        if updates:
            margin = min(margin, self.models[idle].decide(now._replace(u=draws[idle])).margin)
        return action._replace(code=coded(acting, action.code), margin=margin)

    def is_whiff(self, now: Sensed) -> bool:
        """Onset of odour, more than the refractory time after the last whiff."""
        onset = now.in_odor and not self.was_in_odor
        self.was_in_odor = now.in_odor
        last = self.last_whiff_s
        if onset and (last is None or exceeds(now.t_s - last, self.p["refractory_s"])):
            self.last_whiff_s = now.t_s
            return True
        return False


def coded(side: str, code: int) -> int:
    """Behaviour code of the hybrid for that of the model on one side of its gate."""
    return 2 * code + SIDES.index(side)


def simulate(start: Mapping[str, Any], settings: Mapping[str, Any], plume: Plume) -> dict[str, Any]:
    """Simulate one agent; see :func:`plumenav.references._loop.run`.

    `settings["references"]`, if given, has modules of references by model, for users' own models.
    """
    names = [settings["parameters"][side]["model"] for side in SIDES]
    known = settings.get("references", {})
    modules = {
        side: known.get(name) or importlib.import_module(f"plumenav.references.{name}")
        for side, name in zip(SIDES, names, strict=True)
    }
    draws = tuple(f"{side} {name}" for side in SIDES for name in modules[side].DRAWS)

    def make(parameters: Mapping[str, Any], wind: Wind, dt_s: float) -> Hybrid:
        return Hybrid(parameters, wind, dt_s, modules)

    return run(start, settings, plume, make, draws)
