"""Poisson-turning walk: the null that turns like a fly and smells nothing.

The walk of walk_stop_turn without stops and without bias. Its heading persists for 5.3 s:
1/tau = turn_hz * (1 - cos(mean) exp(-sd^2/2)) + drift_sd^2/2.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

from plumenav.models._contract import Action, ModelParams, Observation, parameter
from plumenav.models._math import normal, opposite, other_side

CITATION = (
    "Demir M, Kadakia N et al. (2020) Walking Drosophila navigate complex plumes using stochastic "
    "decisions biased by the timing of odor encounters. eLife 9:e57524 (its turns, without bias)"
)
LAB = "authors' simulation code"


class Params(ModelParams):
    """Parameters of the walk."""

    speed_mm_s: float = parameter(10.1, "mm/s", "walking speed", LAB + " (run script)", ge=0)
    turn_hz: float = parameter(1 / 0.75, "1/s", "turn rate", LAB, ge=0)
    turn_mean_deg: float = parameter(30.0, "deg", "mean turn size", LAB)
    turn_sd_deg: float = parameter(8.0, "deg", "standard deviation of turn size", LAB, ge=0)
    drift_sd_deg: float = parameter(
        20.0 / math.sqrt(89.94),
        "deg/sqrt(s)",
        "diffusion of heading between turns",
        LAB + " (20/89.94 deg per sample of 1/89.94 s)",
        ge=0,
    )


PRESETS: dict[str, dict[str, Any]] = {"demir_2020": {}}
FAMILY = "null"
PUBLICATION_DT_S = 1 / 89.94
SENSOR: dict[str, Any] = {
    "shape": "point",
    "interpolation": "bilinear",
    "threshold": {"value": 5.0, "unit": "noise_sd"},
    "dead_zone": None,
}
NEEDS_WIND = False
BEHAVIOURS = ("walk", "turn")


def problem(params: Params, dt_s: float) -> str | None:
    """Why these parameters cannot run at this step."""
    if params.turn_hz * dt_s > 1.0:
        return f"turn_hz is {params.turn_hz:g}, more than one in a step of {dt_s:g} s"
    return None


class Constants(NamedTuple):
    """Parameters in radians and seconds."""

    speed: float
    turn: float
    turn_mean: float
    turn_sd: float
    drift_sd: float


class State(NamedTuple):
    """No memory; one number because a state has at least one."""

    unused: float


class Noise(NamedTuple):
    """Draws of one step."""

    turn: float
    direction: float
    size_a: float
    size_b: float
    drift_a: float
    drift_b: float


def mirrored(noise: Noise) -> Noise:
    """Draws of the mirror image: every turn to the other side."""
    return noise._replace(direction=other_side(noise.direction), drift_b=opposite(noise.drift_b))


def constants(params: Params, wind_speed_mm_s: float) -> Constants:
    """Physical constants of the step."""
    return Constants(
        speed=params.speed_mm_s,
        turn=params.turn_hz,
        turn_mean=math.radians(params.turn_mean_deg),
        turn_sd=math.radians(params.turn_sd_deg),
        drift_sd=math.radians(params.drift_sd_deg),
    )


def initial_state(constants: Constants) -> State:
    """Nothing to remember."""
    return State(0.0)


def initial_behaviour(constants: Constants) -> int:
    """Behaviour code at the start."""
    return 0


def step(
    observation: Observation, state: State, c: Constants, noise: Noise, dt_s: float
) -> tuple[Action, State]:
    """Walk straight, then turn to either side, or drift a little."""
    heading = observation.heading_rad
    p = c.turn * dt_s
    clipped = 1 if p > 1.0 else 0
    behaviour = 0
    if noise.turn < p:
        size = c.turn_mean + c.turn_sd * normal(noise.size_a, noise.size_b)
        turn = size if noise.direction < 0.5 else -size
        behaviour = 1
    else:
        turn = c.drift_sd * math.sqrt(dt_s) * normal(noise.drift_a, noise.drift_b)
    return (
        Action(
            c.speed * math.cos(heading),
            c.speed * math.sin(heading),
            heading + turn,
            behaviour,
            clipped,
        ),
        state,
    )
