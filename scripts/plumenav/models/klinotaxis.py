"""Klinotaxis: swing the head, and turn to the side where it smelled more.

One nose, two places, one after the other: the paired sensor gives the places where the head is at
the ends of its swings, its separation the amplitude. Specification of one step:
docs/conventions.md.
"""

from __future__ import annotations

import math
from typing import NamedTuple

from plumenav.models._contract import Action, Observation, parameter
from plumenav.models._gradient import CITATION as CITATION
from plumenav.models._gradient import OURS, PAIR, ComparingParams
from plumenav.models._gradient import PRESETS as PRESETS
from plumenav.models._math import COMPARISONS, SLACK_S, compare, normal, opposite, other_side

NOTHING_YET = -1.0


class Params(ComparingParams):
    """Parameters of klinotaxis."""

    swing_s: float = parameter(0.1, "s", "time from one side to the other", OURS, gt=0)


FAMILY = "gradient"
PUBLICATION_DT_S = 0.02
SENSOR = PAIR
NEEDS_WIND = False
BILATERAL = True
BEHAVIOURS = ("head_left", "head_right")


def problem(params: Params, dt_s: float) -> str | None:
    """Why these parameters cannot run at this step."""
    if params.swing_s < dt_s - SLACK_S:
        return f"swing_s is {params.swing_s:g} s, shorter than a step of {dt_s:g} s"
    return None


class Constants(NamedTuple):
    """Parameters in radians and seconds."""

    speed: float
    comparison: float
    gain: float
    c0: float
    least: float
    turn_sd: float
    swing: float


class State(NamedTuple):
    """Side of the head (+1 left, 0 not drawn yet), last reading, turn rate, next swing."""

    side: float
    last: float
    rate_rad_s: float
    due_s: float


class Noise(NamedTuple):
    """Draws of one step; the first is used in step 0 only."""

    first_side: float
    turn_a: float
    turn_b: float


def mirrored(noise: Noise) -> Noise:
    """Draws of the mirror image: the other side first, every turn to the other side."""
    return noise._replace(first_side=other_side(noise.first_side), turn_b=opposite(noise.turn_b))


def constants(params: Params, wind_speed_mm_s: float) -> Constants:
    """Physical constants of the step."""
    return Constants(
        speed=params.speed_mm_s,
        comparison=COMPARISONS[params.comparison],
        gain=math.radians(params.gain_deg_s),
        c0=params.c0,
        least=params.least_difference,
        turn_sd=math.radians(params.turn_sd_deg),
        swing=params.swing_s,
    )


def initial_state(constants: Constants) -> State:
    """No side, nothing smelled."""
    return State(0.0, NOTHING_YET, 0.0, constants.swing)


def initial_behaviour(constants: Constants) -> int:
    """Behaviour code at the start."""
    return 0


def step(
    observation: Observation, state: State, c: Constants, noise: Noise, dt_s: float
) -> tuple[Action, State]:
    """Walk straight; at the end of a swing compare; turn."""
    heading = observation.heading_rad
    side = state.side
    last = state.last
    rate = state.rate_rad_s
    due = state.due_s
    if side == 0.0:
        side = 1.0 if noise.first_side < 0.5 else -1.0
    if observation.time_s >= due - SLACK_S:
        smelled = max(observation.odor_left if side > 0.0 else observation.odor_right, 0.0)
        if last != NOTHING_YET:
            left = smelled if side > 0.0 else last
            right = last if side > 0.0 else smelled
            rate = c.gain * compare(c.comparison, left, right, c.least, c.c0)
        last = smelled
        side = -side
        due += c.swing
    turn = rate * dt_s + c.turn_sd * math.sqrt(dt_s) * normal(noise.turn_a, noise.turn_b)
    behaviour = 0 if side > 0.0 else 1
    return (
        Action(
            c.speed * math.cos(heading), c.speed * math.sin(heading), heading + turn, behaviour, 0
        ),
        State(side, last, rate, due),
    )
