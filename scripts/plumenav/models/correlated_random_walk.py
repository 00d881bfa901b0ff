"""Correlated random walk: the null that smells nothing.

Constant speed, heading diffuses: MSD = 2 v^2 tau (t - tau (1 - exp(-t/tau))) with tau = 2/sigma^2.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

from plumenav.models._contract import Action, ModelParams, Observation, parameter
from plumenav.models._math import normal, opposite

CITATION = "Kareiva PM, Shigesada N (1983) Analyzing insect movement as a correlated random walk"


class Params(ModelParams):
    """Parameters of the walk."""

    speed_mm_s: float = parameter(10.1, "mm/s", "speed", "as walk_stop_turn, to compare", ge=0)
    turn_sd_deg: float = parameter(
        35.3,
        "deg/sqrt(s)",
        "heading diffusion; 35.3 gives the persistence time 5.27 s of the Poisson-turning walk",
        "tau = 2/sigma^2",
        ge=0,
    )


PRESETS: dict[str, dict[str, Any]] = {"persistent_fly": {}}
FAMILY = "null"
PUBLICATION_DT_S = 0.02
SENSOR: dict[str, Any] = {
    "shape": "point",
    "interpolation": "bilinear",
    "threshold": {"value": 5.0, "unit": "noise_sd"},
    "dead_zone": None,
}
NEEDS_WIND = False
BEHAVIOURS = ("walk",)


class Constants(NamedTuple):
    """Parameters in radians and seconds."""

    speed: float
    turn_sd: float


class State(NamedTuple):
    """No memory; one number because a state has at least one."""

    unused: float


class Noise(NamedTuple):
    """Draws of one step."""

    turn_a: float
    turn_b: float


def mirrored(noise: Noise) -> Noise:
    """Draws of the mirror image: every turn to the other side."""
    return noise._replace(turn_b=opposite(noise.turn_b))


def constants(params: Params, wind_speed_mm_s: float) -> Constants:
    """Physical constants of the step."""
    return Constants(speed=params.speed_mm_s, turn_sd=math.radians(params.turn_sd_deg))


def initial_state(constants: Constants) -> State:
    """Nothing to remember."""
    return State(0.0)


def initial_behaviour(constants: Constants) -> int:
    """Behaviour code at the start."""
    return 0


def step(
    observation: Observation, state: State, c: Constants, noise: Noise, dt_s: float
) -> tuple[Action, State]:
    """Walk straight, then turn a little."""
    heading = observation.heading_rad
    turn = c.turn_sd * math.sqrt(dt_s) * normal(noise.turn_a, noise.turn_b)
    return (
        Action(c.speed * math.cos(heading), c.speed * math.sin(heading), heading + turn, 0, 0),
        state,
    )
