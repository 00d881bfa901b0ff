"""RECONSTRUCTION of navigation by odour motion: turns against it, and upwind (after Kadakia 2022).

No agent code of that publication is public. Here its detector, a correlation of the two antennae,
biases the turns of the frequency-and-intermittency fly of the same laboratory. Specification of one
step, and what of it is ours: docs/conventions.md.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

from plumenav.models import frequency_intermittency
from plumenav.models._contract import Action, Observation, parameter
from plumenav.models._encounters import logistic, upwind_is_left
from plumenav.models._math import other_side
from plumenav.models.frequency_intermittency import BEHAVIOURS, FAMILY, Noise, remembered, walked
from plumenav.models.frequency_intermittency import State as Memory

__all__ = ["BEHAVIOURS", "FAMILY", "Noise"]

CITATION = (
    "Reconstruction (ours) after Kadakia N et al. (2022) Odour motion sensing enhances navigation "
    "of complex plumes. Nature 611:754-761"
)
DETECTOR = "detectors in the laboratory's later open code"
OURS = "ours: exposed, not published"
MEASURED = "ours: in odour, on walks through the demonstration's complex recording"


class Params(frequency_intermittency.Params):
    """Parameters of the reconstruction: those of the walk, and of the two antennae."""

    g_motion: float = parameter(
        1.0, "1", "bias of turns against odour motion, per motion_scale", OURS, ge=0
    )
    g_gradient: float = parameter(
        1.0, "1", "bias of turns towards more odour, per gradient_scale", OURS, ge=0
    )
    motion_scale: float = parameter(
        0.08, "1", "motion that counts as 1: about its standard deviation", MEASURED, gt=0
    )
    gradient_scale: float = parameter(
        0.04, "1", "gradient that counts as 1: about its standard deviation", MEASURED, gt=0
    )
    tau_motion_s: float = parameter(
        0.015, "s", "low-pass filter that delays one side; 0: a delay of one step", OURS, ge=0
    )
    tau_average_s: float = parameter(
        0.25,
        "s",
        "running mean of motion and gradient",
        "ours: mean age of the detectors' history of 0.5 s",
        gt=0,
    )
    levels: float = parameter(
        255.0, "levels", "grey levels of concentration 1", DETECTOR + ", range 0 to 255", gt=0
    )
    floor_levels: float = parameter(
        5.0, "levels", "grey levels that are no odour", DETECTOR + ", before the logarithm", ge=0
    )


PRESETS: dict[str, dict[str, Any]] = {
    "reconstruction_motion_and_gradient": {},
    "reconstruction_motion_only": {"g_gradient": 0.0},
    "reconstruction_gradient_only": {"g_motion": 0.0},
    "reconstruction_wind_only": {"g_motion": 0.0, "g_gradient": 0.0},
}
BILATERAL = True
PUBLICATION_DT_S = 1 / 60
SENSOR: dict[str, Any] = {
    "shape": "pair",
    "parameters": {"separation_mm": 0.3, "ahead_mm": 0.0},
    "interpolation": "bilinear",
    "threshold": {"value": 2.749, "unit": "noise_sd"},
    "dead_zone": None,
}
NEEDS_WIND = True


class Constants(NamedTuple):
    """Those of the walk, gains per unit of motion and gradient, and time constants."""

    walk: frequency_intermittency.Constants
    motion: float
    gradient: float
    tau_motion: float
    tau_average: float
    levels: float
    floor: float


class State(NamedTuple):
    """Memory at the start of a step."""

    in_odor: float  # in the previous step
    last_whiff_s: float
    w: float
    adaptation: float
    on: float
    delayed_left: float
    delayed_right: float
    motion: float  # above 0: odour moves from right to left
    gradient: float  # above 0: more odour on the right


def mirrored(noise: Noise) -> Noise:
    """Draws of the mirror image: left for right."""
    return noise._replace(direction=other_side(noise.direction))


def broken_symmetries(params: Params) -> dict[str, str]:
    """What a delay of one step breaks."""
    if params.tau_motion_s == 0.0 and params.g_motion != 0.0:
        return {"dt": "with tau_motion_s 0 the delay of the motion detector is one step"}
    return {}


def problem(params: Params, dt_s: float) -> str | None:
    """As of the walk."""
    return frequency_intermittency.problem(params, dt_s)


def constants(params: Params, wind_speed_mm_s: float) -> Constants:
    """Physical constants of the step."""
    return Constants(
        walk=frequency_intermittency.constants(params, wind_speed_mm_s),
        motion=params.g_motion / params.motion_scale,
        gradient=params.g_gradient / params.gradient_scale,
        tau_motion=params.tau_motion_s,
        tau_average=params.tau_average_s,
        levels=params.levels,
        floor=params.floor_levels,
    )


def initial_state(constants: Constants) -> State:
    """No odour yet."""
    return State(*frequency_intermittency.initial_state(constants.walk), 0.0, 0.0, 0.0, 0.0)


def initial_behaviour(constants: Constants) -> int:
    """Behaviour code at the start."""
    return frequency_intermittency.initial_behaviour(constants.walk)


def response(odor: float, c: Constants) -> float:
    """Response of one antenna: logarithm of what is above the floor."""
    return math.log(1.0 + max(c.levels * odor - c.floor, 0.0))


def step(
    observation: Observation, state: State, c: Constants, noise: Noise, dt_s: float
) -> tuple[Action, State]:
    """One step: memories, motion and gradient between the sides, then a turn."""
    heading = observation.heading_rad
    memory = remembered(
        observation,
        Memory(state.in_odor, state.last_whiff_s, state.w, state.adaptation, state.on),
        c.walk,
        dt_s,
    )
    left = response(observation.odor_left, c)
    right = response(observation.odor_right, c)
    motion_now = state.delayed_right * left - right * state.delayed_left
    q = 1.0 - math.exp(-dt_s / c.tau_average)
    motion = state.motion + (motion_now - state.motion) * q
    gradient = state.gradient + (right - left - state.gradient) * q
    a = 1.0 - math.exp(-dt_s / c.tau_motion) if c.tau_motion > 0.0 else 1.0

    turns = noise.turn < c.walk.turn * dt_s
    turns_left = True
    if turns:
        upwind = c.walk.alpha * memory.w + c.walk.beta * memory.on
        if not upwind_is_left(observation.wind_x_mm_s, observation.wind_y_mm_s, heading):
            upwind = -upwind
        sideways = c.motion * motion + c.gradient * gradient
        turns_left = noise.direction < logistic(upwind - sideways)
    return walked(heading, turns, turns_left, c.walk, noise, dt_s), State(
        memory.in_odor,
        memory.last_whiff_s,
        memory.w,
        memory.adaptation,
        memory.on,
        state.delayed_left + a * (left - state.delayed_left),
        state.delayed_right + a * (right - state.delayed_right),
        motion,
        gradient,
    )
