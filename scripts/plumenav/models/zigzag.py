"""Robot: upwind at an angle in odour, back crosswind after leaving the plume.

The casting algorithm that Lochmatter & Martinoli compare theirs with: each crossing of the plume
goes on a while beyond its edge, then back crosswind until odour is met again, and on to the other
side. Where the way back finds nothing the robot searches in random straight legs (ours). One step:
docs/conventions.md.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

from plumenav.models import _robot
from plumenav.models._contract import Action, Observation, parameter
from plumenav.models._math import direction, other_side
from plumenav.models._robot import (
    AFTER,
    RECOVER,
    SEARCH,
    SLACK_MM,
    TRACK,
    side_met,
    too_coarse,
)

CITATION = _robot.CITATION


class Params(_robot.RobotParams):
    """Parameters of the zigzagging robot."""

    beta_deg: float = parameter(30.0, "deg", "angle to upwind in odour", AFTER, ge=0, lt=90)
    cast_mm: float = parameter(
        80.0, "mm", "way back crosswind after which it is given up", AFTER, gt=0
    )


PRESETS: dict[str, dict[str, Any]] = {
    "small_arena": {},
    "wind_tunnel": {
        "speed_mm_s": 100.0,
        "lost_mm": 100.0,
        "cast_mm": 800.0,
        "search_leg_mm": 1000.0,
    },
}
FAMILY = "casting"
PUBLICATION_DT_S = 0.02
SENSOR = _robot.SENSOR
NEEDS_WIND = True
BEHAVIOURS = ("search", "zigzag", "back")
BEHAVIOURS_WITHOUT_ODOR = ("search",)


class Constants(NamedTuple):
    """Parameters in mm, mm/s and radians."""

    speed: float
    lost: float
    search_leg: float
    beta: float
    cast: float


class State(NamedTuple):
    """Mode and the leg it is in; a direction of search is drawn where `travelled` is negative."""

    mode: float
    travelled_mm: float
    side: float
    search_rad: float


class Noise(NamedTuple):
    """Draws of one step."""

    search: float


def mirrored(noise: Noise) -> Noise:
    """Draws of the mirror image: mirrored directions."""
    return Noise(other_side(noise.search))


def problem(params: Params, dt_s: float) -> str | None:
    """A step must be shorter than the legs."""
    return too_coarse(params, dt_s, {"cast_mm": params.cast_mm})


def constants(params: Params, wind_speed_mm_s: float) -> Constants:
    """Physical constants of the step."""
    return Constants(
        speed=params.speed_mm_s,
        lost=params.lost_mm,
        search_leg=params.search_leg_mm,
        beta=math.radians(params.beta_deg),
        cast=params.cast_mm,
    )


def initial_state(constants: Constants) -> State:
    """Searching, the first leg not drawn yet."""
    return State(SEARCH, -1.0, 1.0, 0.0)


def initial_behaviour(constants: Constants) -> int:
    """Behaviour code at the start."""
    return SEARCH


def step(
    observation: Observation, state: State, c: Constants, noise: Noise, dt_s: float
) -> tuple[Action, State]:
    """One step: contact, loss, ends of legs, velocity."""
    downwind = math.atan2(observation.wind_y_mm_s, observation.wind_x_mm_s)
    mode = state.mode
    travelled = state.travelled_mm
    side = state.side
    search = state.search_rad

    if observation.odor >= observation.threshold:
        if mode == SEARCH:
            side = side_met(observation.heading_rad, downwind)
        mode = float(TRACK)
        travelled = 0.0
    elif mode == TRACK:
        if travelled >= c.lost - SLACK_MM:
            mode = float(RECOVER)
            travelled = 0.0
            side = -side
    elif mode == RECOVER and travelled >= c.cast - SLACK_MM:
        mode = float(SEARCH)
        travelled = -1.0
    if mode == SEARCH and (travelled < 0.0 or travelled >= c.search_leg - SLACK_MM):
        search = downwind + direction(noise.search)
        travelled = 0.0

    if mode == TRACK:
        heading = downwind + math.pi - side * c.beta
    elif mode == RECOVER:
        heading = downwind + side * math.pi / 2.0
    else:
        heading = search
    return (
        Action(c.speed * math.cos(heading), c.speed * math.sin(heading), heading, int(mode), 0),
        State(mode, travelled + c.speed * dt_s, side, search),
    )
