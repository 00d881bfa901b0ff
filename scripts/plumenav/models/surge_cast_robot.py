"""Robot: upwind in odour, crosswind to one side and then to the other after losing it.

Surge-cast after Lochmatter & Martinoli. The robot keeps going upwind for a while without odour,
then sweeps; its first side can be where the wind says that the plume was lost. Where both sides
fail it searches in random straight legs (ours). One step: docs/conventions.md.
"""

from __future__ import annotations

import math
from typing import Any, Literal, NamedTuple

from plumenav.models import _robot
from plumenav.models._contract import Action, Observation, parameter
from plumenav.models._math import direction, other_side
from plumenav.models._robot import (
    AFTER,
    RECOVER,
    SEARCH,
    SLACK_MM,
    TRACK,
    side_lost,
    side_met,
    too_coarse,
)

CITATION = _robot.CITATION


class Params(_robot.RobotParams):
    """Parameters of the surge-cast robot."""

    cast_mm: float = parameter(
        40.0, "mm", "reach of a cast, to each side of the way upwind", AFTER, gt=0
    )
    cast_side: Literal["lost", "random"] = parameter(
        "lost",
        "1",
        "first side of a cast. lost: where the plume must be, from the wind and the robot's own "
        "way since the last odour; random: a coin",
        AFTER,
    )


PRESETS: dict[str, dict[str, Any]] = {
    "small_arena": {},
    "wind_tunnel": {
        "speed_mm_s": 100.0,
        "lost_mm": 100.0,
        "cast_mm": 400.0,
        "search_leg_mm": 1000.0,
    },
    "random_side": {"cast_side": "random"},
}
FAMILY = "casting"
PUBLICATION_DT_S = 0.02
SENSOR = _robot.SENSOR
NEEDS_WIND = True
BEHAVIOURS = ("search", "surge", "cast")
BEHAVIOURS_WITHOUT_ODOR = ("search",)


class Constants(NamedTuple):
    """Parameters in mm and mm/s."""

    speed: float
    lost: float
    search_leg: float
    cast: float
    estimates_side: bool


class State(NamedTuple):
    """Mode and the leg it is in; a direction of search is drawn where `travelled` is negative."""

    mode: float
    travelled_mm: float
    side: float
    found: float
    sweep: float
    search_rad: float
    dx_mm: float  # own way since the last odour
    dy_mm: float


class Noise(NamedTuple):
    """Draws of one step."""

    side: float
    search: float


def mirrored(noise: Noise) -> Noise:
    """Draws of the mirror image: other sides, mirrored directions."""
    return Noise(other_side(noise.side), other_side(noise.search))


def problem(params: Params, dt_s: float) -> str | None:
    """A step must be shorter than the legs."""
    return too_coarse(params, dt_s, {"cast_mm": params.cast_mm})


def constants(params: Params, wind_speed_mm_s: float) -> Constants:
    """Physical constants of the step."""
    return Constants(
        speed=params.speed_mm_s,
        lost=params.lost_mm,
        search_leg=params.search_leg_mm,
        cast=params.cast_mm,
        estimates_side=params.cast_side == "lost",
    )


def initial_state(constants: Constants) -> State:
    """Searching, the first leg not drawn yet."""
    return State(SEARCH, -1.0, 1.0, 1.0, 1.0, 0.0, 0.0, 0.0)


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
    found = state.found
    sweep = state.sweep
    search = state.search_rad
    dx = state.dx_mm
    dy = state.dy_mm

    if observation.odor >= observation.threshold:
        if mode != TRACK:
            found = side_met(observation.heading_rad, downwind)
            mode = float(TRACK)
        travelled = 0.0
        dx = 0.0
        dy = 0.0
    elif mode == TRACK:
        if travelled >= c.lost - SLACK_MM:
            mode = float(RECOVER)
            travelled = 0.0
            sweep = 1.0
            if c.estimates_side:
                side = side_lost(dx, dy, downwind, found)
            else:
                side = 1.0 if noise.side < 0.5 else -1.0
    elif mode == RECOVER and travelled >= sweep * c.cast - SLACK_MM:
        if sweep == 1.0:
            sweep = 2.0
            side = -side
            travelled = 0.0
        else:
            mode = float(SEARCH)
            travelled = -1.0
    if mode == SEARCH and (travelled < 0.0 or travelled >= c.search_leg - SLACK_MM):
        search = downwind + direction(noise.search)
        travelled = 0.0

    if mode == TRACK:
        heading = downwind + math.pi
    elif mode == RECOVER:
        heading = downwind + side * math.pi / 2.0
    else:
        heading = search
    velocity_x = c.speed * math.cos(heading)
    velocity_y = c.speed * math.sin(heading)
    return (
        Action(velocity_x, velocity_y, heading, int(mode), 0),
        State(
            mode,
            travelled + c.speed * dt_s,
            side,
            found,
            sweep,
            search,
            dx + velocity_x * dt_s,
            dy + velocity_y * dt_s,
        ),
    )
