"""TEMPLATE of a navigation model: copy, rename, and say here in one line what the animal does.

Inside the package the file's name is the model's name. Your own file outside of it starts with
`PLUGIN_KIND = "model"` and is listed under `plugins:` in the config. What must be here, and what a
step may do, is in plumenav/models/_contract.py. This one walks upwind in odour and wanders without.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

from plumenav.models._contract import Action, ModelParams, Observation, parameter
from plumenav.models._math import normal, opposite

CITATION = "Authors (year) Title. Journal volume:pages"


class Params(ModelParams):
    """What a config can set: default, unit, meaning, source, limits."""

    speed_mm_s: float = parameter(10.0, "mm/s", "walking speed", "Authors, Table 1", ge=0)
    turn_sd_deg: float = parameter(40.0, "deg/sqrt(s)", "wandering", "Authors, Figure 2", ge=0)
    upwind_rate_hz: float = parameter(5.0, "1/s", "turning upwind in odour", "ours", ge=0)


# The first preset is the defaults.
PRESETS: dict[str, dict[str, Any]] = {"authors_year": {}}
FAMILY = "fly"
PUBLICATION_DT_S = 0.02
SENSOR: dict[str, Any] = {
    "shape": "point",
    "interpolation": "bilinear",
    "threshold": {"value": 5.0, "unit": "noise_sd"},
    "dead_zone": None,
}
NEEDS_WIND = True
BEHAVIOURS = ("wander", "upwind")


class Constants(NamedTuple):
    """Parameters as the step wants them: radians, seconds, millimetres."""

    speed: float
    turn_sd: float
    upwind_rate: float


class State(NamedTuple):
    """What the animal remembers from step to step (floats)."""

    last_contact_s: float


class Noise(NamedTuple):
    """Uniform numbers in [0, 1) that one step needs, by name."""

    turn_a: float
    turn_b: float


def mirrored(noise: Noise) -> Noise:
    """Draws with which the mirror image of a track is walked."""
    return noise._replace(turn_b=opposite(noise.turn_b))


def constants(params: Params, wind_speed_mm_s: float) -> Constants:
    """Physical constants of the step."""
    return Constants(params.speed_mm_s, math.radians(params.turn_sd_deg), params.upwind_rate_hz)


def initial_state(constants: Constants) -> State:
    """Memory at the start."""
    return State(-1.0e9)


def initial_behaviour(constants: Constants) -> int:
    """Behaviour code at the start."""
    return 0


def step(
    observation: Observation, state: State, c: Constants, noise: Noise, dt_s: float
) -> tuple[Action, State]:
    """One step: scalars in, scalars out; the engine compiles it and owns everything else."""
    heading = observation.heading_rad
    velocity_x = c.speed * math.cos(heading)
    velocity_y = c.speed * math.sin(heading)
    turn = c.turn_sd * math.sqrt(dt_s) * normal(noise.turn_a, noise.turn_b)
    last_contact = state.last_contact_s
    behaviour = 0
    if observation.odor >= observation.threshold:
        last_contact = observation.time_s
        # sine and cosine, never comparisons of angles: headings are not wrapped
        off = math.atan2(observation.wind_y_mm_s, observation.wind_x_mm_s) + math.pi - heading
        turn += c.upwind_rate * dt_s * math.sin(off)
        behaviour = 1
    return Action(velocity_x, velocity_y, heading + turn, behaviour, 0), State(last_contact)
