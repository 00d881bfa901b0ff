"""Always upwind: the null that follows the wind and smells nothing.

What a strategy finds that this does not is due to odour; what both find is due to where they start.
"""

from __future__ import annotations

import math
from typing import Any, Literal, NamedTuple

from plumenav.models._contract import Action, ModelParams, Observation, parameter
from plumenav.models._math import normal, opposite

CITATION = (
    "Kennedy JS (1940) The visual responses of flying mosquitoes. Proc Zool Soc Lond A 109:221-242 "
    "(anemotaxis; without odour a null model, ours)"
)


class Params(ModelParams):
    """Parameters of the walk upwind."""

    speed_mm_s: float = parameter(10.1, "mm/s", "speed", "as walk_stop_turn, to compare", ge=0)
    turning: Literal["at_once", "steered"] = parameter(
        "at_once",
        "1",
        "upwind from the first step, or steered there from the start's heading",
        "ours",
    )
    drive_upwind_deg_s: float = parameter(
        250.0,
        "deg/s",
        "steered: upwind drive, 90 deg off",
        "Alvarez-Salvado et al. 2018, authors' code (at ON = 1)",
        ge=0,
    )
    turn_sd_deg: float = parameter(
        0.0, "deg/sqrt(s)", "steered: diffusion of the heading", "ours", ge=0
    )


PRESETS: dict[str, dict[str, Any]] = {
    "at_once": {},
    "steered": {"turning": "steered", "turn_sd_deg": 35.3},
}
FAMILY = "null"
PUBLICATION_DT_S = 0.02
SENSOR: dict[str, Any] = {
    "shape": "point",
    "interpolation": "bilinear",
    "threshold": {"value": 5.0, "unit": "noise_sd"},
    "dead_zone": None,
}
NEEDS_WIND = True
BEHAVIOURS = ("walk",)


def problem(params: Params, dt_s: float) -> str | None:
    """Why these parameters cannot run at this step."""
    if params.turning == "at_once" and params.turn_sd_deg > 0.0:
        return (
            f"turn_sd_deg is {params.turn_sd_deg:g}, but turning 'at_once' sets the heading in "
            "every step; 'steered' has noise"
        )
    return None


class Constants(NamedTuple):
    """Parameters in radians and seconds."""

    speed: float
    at_once: float
    drive_upwind: float
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
        at_once=1.0 if params.turning == "at_once" else 0.0,
        drive_upwind=math.radians(params.drive_upwind_deg_s),
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
    """Walk upwind, or steer there."""
    toward = math.atan2(observation.wind_y_mm_s, observation.wind_x_mm_s)
    walked = observation.heading_rad
    if c.at_once > 0.5:
        walked = toward + math.pi
        heading = walked
    else:
        turn = c.turn_sd * math.sqrt(dt_s) * normal(noise.turn_a, noise.turn_b)
        heading = walked + c.drive_upwind * math.sin(walked - toward) * dt_s + turn
    return (
        Action(c.speed * math.cos(walked), c.speed * math.sin(walked), heading, 0, 0),
        state,
    )
