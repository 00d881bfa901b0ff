"""Robot: upwind in odour, along an Archimedean spiral after losing it.

Surge-spiral after Lochmatter & Martinoli. The spiral begins upwind, where the plume was given up,
and turns to the side on which it must be; where it grows too wide the robot searches in random
straight legs (ours). One step: docs/conventions.md.
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
# Newton's method from above on a convex function: 8 rounds are exact (4 leave 1e-12)
ROUNDS = 8


class Params(_robot.RobotParams):
    """Parameters of the surge-spiral robot."""

    gap_mm: float = parameter(10.0, "mm", "distance of the turns of the spiral", AFTER, gt=0)
    radius_mm: float = parameter(60.0, "mm", "radius at which a spiral is given up", "ours", gt=0)
    spiral_side: Literal["lost", "random"] = parameter(
        "lost",
        "1",
        "side to which the spiral turns first. lost: where the plume must be, from the wind and "
        "the robot's own way since the last odour; random: a coin",
        AFTER,
    )


PRESETS: dict[str, dict[str, Any]] = {
    "small_arena": {},
    "wind_tunnel": {
        "speed_mm_s": 100.0,
        "lost_mm": 100.0,
        "gap_mm": 100.0,
        "radius_mm": 600.0,
        "search_leg_mm": 1000.0,
    },
    "random_side": {"spiral_side": "random"},
}
FAMILY = "casting"
PUBLICATION_DT_S = 0.02
SENSOR = _robot.SENSOR
NEEDS_WIND = True
BEHAVIOURS = ("search", "surge", "spiral")
BEHAVIOURS_WITHOUT_ODOR = ("search",)


class Constants(NamedTuple):
    """Parameters in mm and mm/s; `pitch` is the spiral's radius per radian."""

    speed: float
    lost: float
    search_leg: float
    pitch: float
    radius: float
    estimates_side: bool


class State(NamedTuple):
    """Mode and the leg it is in; a direction of search is drawn where `travelled` is negative."""

    mode: float
    travelled_mm: float
    side: float
    found: float
    axis_rad: float
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
    """A step must be shorter than the legs and than the spiral's gap."""
    return too_coarse(params, dt_s, {"gap_mm": params.gap_mm, "radius_mm": params.radius_mm})


def constants(params: Params, wind_speed_mm_s: float) -> Constants:
    """Physical constants of the step."""
    return Constants(
        speed=params.speed_mm_s,
        lost=params.lost_mm,
        search_leg=params.search_leg_mm,
        pitch=params.gap_mm / (2.0 * math.pi),
        radius=params.radius_mm,
        estimates_side=params.spiral_side == "lost",
    )


def initial_state(constants: Constants) -> State:
    """Searching, the first leg not drawn yet."""
    return State(SEARCH, -1.0, 1.0, 1.0, 0.0, 0.0, 0.0, 0.0)


def initial_behaviour(constants: Constants) -> int:
    """Behaviour code at the start."""
    return SEARCH


def spiral_angle(length: float, pitch: float) -> float:
    """Angle of an Archimedean spiral of this pitch after a length along it.

    Solves pitch / 2 (a sqrt(1 + a^2) + asinh a) = length.
    """
    scaled = length / pitch
    # the length is at least pitch * a and at least pitch * a^2 / 2
    a = min(scaled, math.sqrt(2.0 * scaled))
    for _ in range(ROUNDS):
        root = math.sqrt(1.0 + a * a)
        a -= (0.5 * (a * root + math.asinh(a)) - scaled) / root
    return a


def step(
    observation: Observation, state: State, c: Constants, noise: Noise, dt_s: float
) -> tuple[Action, State]:
    """One step: contact, loss, ends of legs, velocity."""
    downwind = math.atan2(observation.wind_y_mm_s, observation.wind_x_mm_s)
    mode = state.mode
    travelled = state.travelled_mm
    side = state.side
    found = state.found
    axis = state.axis_rad
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
            axis = downwind + math.pi
            if c.estimates_side:
                side = side_lost(dx, dy, downwind, found)
            else:
                side = 1.0 if noise.side < 0.5 else -1.0
    elif mode == RECOVER and c.pitch * spiral_angle(travelled, c.pitch) >= c.radius - SLACK_MM:
        mode = float(SEARCH)
        travelled = -1.0
    if mode == SEARCH and (travelled < 0.0 or travelled >= c.search_leg - SLACK_MM):
        search = downwind + direction(noise.search)
        travelled = 0.0

    if mode == RECOVER:
        a0 = spiral_angle(travelled, c.pitch)
        a1 = spiral_angle(travelled + c.speed * dt_s, c.pitch)
        # along the chord, at the speed itself: a chord is a little shorter than its arc
        chord_x = a1 * math.cos(axis - side * a1) - a0 * math.cos(axis - side * a0)
        chord_y = a1 * math.sin(axis - side * a1) - a0 * math.sin(axis - side * a0)
        chord = math.sqrt(chord_x * chord_x + chord_y * chord_y)
        velocity_x = c.speed * chord_x / chord
        velocity_y = c.speed * chord_y / chord
        heading = axis - side * (a1 + math.atan(a1))
    else:
        heading = downwind + math.pi if mode == TRACK else search
        velocity_x = c.speed * math.cos(heading)
        velocity_y = c.speed * math.sin(heading)
    return (
        Action(velocity_x, velocity_y, heading, int(mode), 0),
        State(
            mode,
            travelled + c.speed * dt_s,
            side,
            found,
            axis,
            search,
            dx + velocity_x * dt_s,
            dy + velocity_y * dt_s,
        ),
    )
