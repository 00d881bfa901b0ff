"""Tropotaxis: turn to the side that smells more, by two readings at the same time.

Sides closer than a pixel of the plume read nearly the same, and exactly the same with nearest
sampling: then the animal only wanders. Hence the default separation of 2 mm, wider than a fly's
antennae, and bilinear sampling. Specification of one step: docs/conventions.md.
"""

from __future__ import annotations

import math
from typing import NamedTuple

from plumenav.models._contract import Action, Observation
from plumenav.models._gradient import CITATION as CITATION
from plumenav.models._gradient import PAIR, ComparingParams
from plumenav.models._gradient import PRESETS as PRESETS
from plumenav.models._math import COMPARISONS, compare, normal, opposite


class Params(ComparingParams):
    """Parameters of tropotaxis."""


FAMILY = "gradient"
PUBLICATION_DT_S = 0.02
SENSOR = PAIR
NEEDS_WIND = False
BILATERAL = True
BEHAVIOURS = ("walk",)


class Constants(NamedTuple):
    """Parameters in radians and seconds."""

    speed: float
    comparison: float
    gain: float
    c0: float
    least: float
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
    return Constants(
        speed=params.speed_mm_s,
        comparison=COMPARISONS[params.comparison],
        gain=math.radians(params.gain_deg_s),
        c0=params.c0,
        least=params.least_difference,
        turn_sd=math.radians(params.turn_sd_deg),
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
    """Walk straight, then turn to the stronger side, and a little at random."""
    heading = observation.heading_rad
    left = max(observation.odor_left, 0.0)
    right = max(observation.odor_right, 0.0)
    turn = c.gain * compare(c.comparison, left, right, c.least, c.c0) * dt_s
    turn += c.turn_sd * math.sqrt(dt_s) * normal(noise.turn_a, noise.turn_b)
    return (
        Action(c.speed * math.cos(heading), c.speed * math.sin(heading), heading + turn, 0, 0),
        state,
    )
