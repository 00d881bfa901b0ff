"""ON/OFF navigation with two antennae: turns to the side with more odour (Alvarez-Salvado 2018).

The ON/OFF model of on_off.py, fed by the mean of a paired sensor; the difference of its compressed
sides steers in addition. Specification of one step: docs/conventions.md.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

from plumenav.models import on_off
from plumenav.models._contract import Action, Observation, parameter
from plumenav.models.on_off import (
    BEHAVIOURS,
    CITATION,
    FAMILY,
    PUBLICATION_DT_S,
    Noise,
    State,
    broken_symmetries,
    mirrored,
    problem,
)
from plumenav.models.on_off import step as on_off_step

__all__ = [
    "BEHAVIOURS",
    "CITATION",
    "FAMILY",
    "PUBLICATION_DT_S",
    "Noise",
    "State",
    "broken_symmetries",
    "mirrored",
    "problem",
]


class Params(on_off.Params):
    """Parameters of the bilateral ON/OFF model."""

    bilateral_deg_s: float = parameter(
        40.0,
        "deg/s",
        "turning to the left per difference of the compressed sides, left minus right",
        "authors' code, bilateral version",
    )


PRESETS: dict[str, dict[str, Any]] = {
    "alvarez_salvado_2018_bilateral": {},
    "alvarez_salvado_2018_bilateral_corrected": {"fidelity": "corrected"},
}
BILATERAL = True
SENSOR: dict[str, Any] = {
    "shape": "pair",
    "parameters": {"separation_mm": 0.4, "ahead_mm": 0.0},
    "interpolation": "bilinear",
    "threshold": {"value": 5.0, "unit": "noise_sd"},
    "dead_zone": None,
}
NEEDS_WIND = False


class Constants(NamedTuple):
    """Those of the ON/OFF model, and the bilateral gain in radians per second."""

    on_off: on_off.Constants
    bilateral: float


def constants(params: Params, wind_speed_mm_s: float) -> Constants:
    """Physical constants of the step."""
    return Constants(
        on_off.constants(params, wind_speed_mm_s), math.radians(params.bilateral_deg_s)
    )


def initial_state(constants: Constants) -> State:
    """All filters empty."""
    return on_off.initial_state(constants.on_off)


def initial_behaviour(constants: Constants) -> int:
    """Behaviour code at the start."""
    return on_off.initial_behaviour(constants.on_off)


def step(
    observation: Observation, state: State, c: Constants, noise: Noise, dt_s: float
) -> tuple[Action, State]:
    """One step of the ON/OFF model, turned towards the side with more odour."""
    action, after = on_off_step(observation, state, c.on_off, noise, dt_s)
    left = max(observation.odor_left, 0.0)
    right = max(observation.odor_right, 0.0)
    # compression uses the adaptation of the centre before its update
    background = c.on_off.beta + state.a_on
    difference = left / (left + background) - right / (right + background)
    return (
        Action(
            action.velocity_x_mm_s,
            action.velocity_y_mm_s,
            action.heading_rad + c.bilateral * difference * dt_s,
            action.behaviour,
            action.clipped,
        ),
        after,
    )
