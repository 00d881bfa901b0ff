"""Surge upwind in odour, cast crosswind after losing it (van Breugel & Dickinson 2014).

The authors' simulation of flying flies, in the plane: no height and no attraction to visual
objects (their conditions with and without vision). Their continuous test of each step against
packets of odour is replaced by the sensor. One step: docs/conventions.md.
"""

from __future__ import annotations

import math
from typing import Any, Literal, NamedTuple

from plumenav.models._contract import Action, ModelParams, Observation, parameter
from plumenav.models._math import NEVER, SLACK_S, other_side

CITATION = (
    "van Breugel F, Dickinson MH (2014) Plume-tracking behavior of flying Drosophila emerges "
    "from a set of distinct sensory-motor reflexes. Curr Biol 24:274-286"
)
SIM = "authors' simulation code"


class Params(ModelParams):
    """Parameters of surge and cast."""

    surge_delay_s: float = parameter(0.27, "s", "from entering odour to surging", SIM, ge=0)
    cast_delay_s: float = parameter(0.64, "s", "from leaving odour to casting", SIM, ge=0)
    cast_period_s: float = parameter(0.5, "s", "between reversals of a cast", SIM, gt=0)
    memory_s: float = parameter(
        10.0, "s", "after the last contact a loss starts no cast", SIM, ge=0
    )
    upwind_fraction: float = parameter(0.04, "1", "upwind part of casting speed", SIM)
    speeds: Literal["published", "matched"] = parameter(
        "published",
        "1",
        "published: surge at twice, cast at once the wind speed; matched: surge at "
        "matched_speed_mm_s, cast at half of it",
        SIM,
    )
    matched_speed_mm_s: float = parameter(10.0, "mm/s", "surge speed if matched", "ours", gt=0)


PRESETS: dict[str, dict[str, Any]] = {
    "simulation": {},
    "article": {"surge_delay_s": 0.19, "cast_delay_s": 0.45},
    "equal_delays": {"surge_delay_s": 0.27, "cast_delay_s": 0.27},
}
FAMILY = "casting"
PUBLICATION_DT_S = 0.005
SENSOR: dict[str, Any] = {
    "shape": "point",
    "interpolation": "bilinear",
    "threshold": {"value": 5.0, "unit": "noise_sd"},
    "dead_zone": None,
}
NEEDS_WIND = True
BEHAVIOURS = ("cast", "surge")
BEHAVIOURS_WITHOUT_ODOR = ("cast",)


class Constants(NamedTuple):
    """Parameters in seconds and mm/s."""

    surge_delay: float
    cast_delay: float
    cast_period: float
    memory: float
    upwind_fraction: float
    surge_speed: float
    cast_speed: float


class State(NamedTuple):
    """Timers at the start of a step; a pending time of NEVER means none is pending."""

    surging: float
    side: float  # 0: not drawn yet
    surge_pending_s: float
    cast_pending_s: float
    last_contact_s: float
    reversal_s: float  # when the next reversal is due


class Noise(NamedTuple):
    """Draws of one step."""

    first_side: float


def mirrored(noise: Noise) -> Noise:
    """Draws of the mirror image: the first cast goes to the other side."""
    return Noise(other_side(noise.first_side))


def constants(params: Params, wind_speed_mm_s: float) -> Constants:
    """Physical constants of the step."""
    surge, cast = 2.0 * wind_speed_mm_s, wind_speed_mm_s
    if params.speeds == "matched":
        surge, cast = params.matched_speed_mm_s, params.matched_speed_mm_s / 2.0
    return Constants(
        surge_delay=params.surge_delay_s,
        cast_delay=params.cast_delay_s,
        cast_period=params.cast_period_s,
        memory=params.memory_s,
        upwind_fraction=params.upwind_fraction,
        surge_speed=surge,
        cast_speed=cast,
    )


def initial_state(constants: Constants) -> State:
    """Casting, the first reversal half a period away."""
    return State(0.0, 0.0, NEVER, NEVER, NEVER, constants.cast_period / 2.0)


def initial_behaviour(constants: Constants) -> int:
    """Behaviour code at the start."""
    return 0


def step(
    observation: Observation, state: State, c: Constants, noise: Noise, dt_s: float
) -> tuple[Action, State]:
    """One step: timers, switches, reversal, velocity."""
    t = observation.time_s
    surging = state.surging
    side = state.side
    if side == 0.0:
        side = 1.0 if noise.first_side < 0.5 else -1.0
    surge_pending = state.surge_pending_s
    cast_pending = state.cast_pending_s
    last_contact = state.last_contact_s
    reversal = state.reversal_s

    if observation.odor >= observation.threshold:
        last_contact = t
        if surge_pending == NEVER:
            surge_pending = t
    elif surging > 0.5 and cast_pending == NEVER and t - last_contact < c.memory - SLACK_S:
        cast_pending = t

    if surge_pending != NEVER and t - surge_pending > c.surge_delay + SLACK_S:
        surging = 1.0
        surge_pending = NEVER
        cast_pending = NEVER
    if cast_pending != NEVER and t - cast_pending > c.cast_delay + SLACK_S:
        surging = 0.0
        surge_pending = NEVER
        cast_pending = NEVER
        reversal = t + c.cast_period / 2.0
    if surging < 0.5 and t >= reversal - SLACK_S:
        side = -side
        reversal += c.cast_period

    downwind = math.atan2(observation.wind_y_mm_s, observation.wind_x_mm_s)
    along_x = math.cos(downwind)
    along_y = math.sin(downwind)
    if surging > 0.5:
        velocity_x = -c.surge_speed * along_x
        velocity_y = -c.surge_speed * along_y
        heading = downwind + math.pi
        behaviour = 1
    else:
        velocity_x = c.cast_speed * (-side * along_y - c.upwind_fraction * along_x)
        velocity_y = c.cast_speed * (side * along_x - c.upwind_fraction * along_y)
        heading = downwind + side * math.atan2(1.0, -c.upwind_fraction)
        behaviour = 0
    return (
        Action(velocity_x, velocity_y, heading, behaviour, 0),
        State(surging, side, surge_pending, cast_pending, last_contact, reversal),
    )
