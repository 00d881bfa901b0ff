"""ON/OFF navigation of walking flies: elementary transformations of odour (Alvarez-Salvado 2018).

Two adapting, compressing filters of the odour, ON and OFF, modulate upwind drive, ground speed and
turn probability. Parameters are the published fit, turned from samples of 1/50 s into seconds.
Specification of one step: docs/conventions.md.
"""

from __future__ import annotations

import math
from typing import Any, Literal, NamedTuple

import numpy as np

from plumenav.models._contract import Action, ModelParams, Observation, parameter
from plumenav.models._math import modulo, normal, other_side

CITATION = (
    "Alvarez-Salvado E et al. (2018) Elementary sensory-motor transformations underlying "
    "olfactory navigation in walking fruit-flies. eLife 7:e37815"
)
FIT = "published fit, converted from samples at 50 Hz"


class Params(ModelParams):
    """Parameters of the ON/OFF model."""

    fidelity: Literal["published", "corrected"] = parameter(
        "published",
        "1",
        "published keeps the quirks of the authors' code (squared turn size, heading modulo 359 in "
        "whole degrees, lagged OFF); corrected follows the equations of the article",
        "authors' code",
    )
    beta: float = parameter(
        0.01, "fraction of source", "half-saturation of the Hill function", FIT, gt=0
    )
    tau_a_on_s: float = parameter(9.80, "s", "adaptation of ON", FIT, gt=0)
    tau_a_off_s: float = parameter(10.08, "s", "adaptation of OFF", FIT, gt=0)
    tau_on_s: float = parameter(0.72, "s", "ON filter", FIT, gt=0)
    tau_off_fast_s: float = parameter(0.62, "s", "fast OFF filter", FIT, gt=0)
    tau_off_slow_s: float = parameter(4.84, "s", "slow OFF filter", FIT, gt=0)
    turn_base_hz: float = parameter(6.0, "1/s", "turn rate without odour", FIT, ge=0)
    turn_on_hz: float = parameter(1.5, "1/s", "turn rate that ON = 1 takes away", FIT)
    turn_off_hz: float = parameter(37.5, "1/s", "turn rate that OFF = 1 adds", FIT)
    turn_sd_deg: float = parameter(20.0, "deg", "scale of a turn", FIT, ge=0)
    speed_mm_s: float = parameter(6.0, "mm/s", "ground speed without odour", FIT, ge=0)
    speed_on_gain: float = parameter(0.45, "1", "relative speed-up at ON = 1", FIT)
    speed_off_gain: float = parameter(0.80, "1", "relative slow-down at OFF = 1", FIT)
    drive_upwind_deg_s: float = parameter(250.0, "deg/s", "upwind drive at ON = 1, 90 deg off", FIT)
    drive_downwind_deg_s: float = parameter(25.0, "deg/s", "downwind drive, 90 deg off", FIT)


PRESETS: dict[str, dict[str, Any]] = {
    "alvarez_salvado_2018": {},
    "alvarez_salvado_2018_corrected": {"fidelity": "corrected"},
}
FAMILY = "fly"
PUBLICATION_DT_S = 0.02
SENSOR: dict[str, Any] = {
    "shape": "point",
    "interpolation": "nearest",
    "threshold": {"value": 5.0, "unit": "noise_sd"},
    "dead_zone": None,
}
NEEDS_WIND = False
BEHAVIOURS = ("walk",)
# the published code reads its drive from a table of whole degrees
SINES = np.array([math.sin(math.radians(degrees)) for degrees in range(360)])


class Constants(NamedTuple):
    """Parameters in radians and seconds."""

    published: float
    beta: float
    tau_a_on: float
    tau_a_off: float
    tau_on: float
    tau_off_fast: float
    tau_off_slow: float
    turn_base: float
    turn_on: float
    turn_off: float
    turn_sd: float
    speed: float
    speed_on: float
    speed_off: float
    drive_upwind: float
    drive_downwind: float


class State(NamedTuple):
    """Filters at the start of a step; all 0 at first."""

    a_on: float
    a_off: float
    on: float
    k_off: float
    r_fast: float
    s_slow: float
    off: float


class Noise(NamedTuple):
    """Draws of one step."""

    turn: float
    sign: float
    size_a: float
    size_b: float


def mirrored(noise: Noise) -> Noise:
    """Draws of the mirror image: turns to the other side."""
    return noise._replace(sign=other_side(noise.sign))


def broken_symmetries(params: Params) -> dict[str, str]:
    """What the quirks of the published code break."""
    if params.fidelity == "corrected":
        return {}
    return {
        "mirror": "the table of the drive repeats after 359 degrees, so it is not odd",
        "rotation": "a heading that is a whole turn larger reads the table one degree further",
    }


def problem(params: Params, dt_s: float) -> str | None:
    """Explicit Euler needs steps below its time constants, a probability at most 1."""
    shortest = min(
        params.tau_a_on_s,
        params.tau_a_off_s,
        params.tau_on_s,
        params.tau_off_fast_s,
        params.tau_off_slow_s,
    )
    if dt_s > shortest:
        return f"a step of {dt_s:g} s is longer than the shortest time constant, {shortest:g} s"
    if params.fidelity == "corrected" and params.turn_base_hz * dt_s > 1.0:
        return f"turn_base_hz {params.turn_base_hz:g} is above 1/dt = {1.0 / dt_s:g}"
    return None


def constants(params: Params, wind_speed_mm_s: float) -> Constants:
    """Physical constants of the step."""
    return Constants(
        published=1.0 if params.fidelity == "published" else 0.0,
        beta=params.beta,
        tau_a_on=params.tau_a_on_s,
        tau_a_off=params.tau_a_off_s,
        tau_on=params.tau_on_s,
        tau_off_fast=params.tau_off_fast_s,
        tau_off_slow=params.tau_off_slow_s,
        turn_base=params.turn_base_hz,
        turn_on=params.turn_on_hz,
        turn_off=params.turn_off_hz,
        turn_sd=math.radians(params.turn_sd_deg),
        speed=params.speed_mm_s,
        speed_on=params.speed_on_gain,
        speed_off=params.speed_off_gain,
        drive_upwind=math.radians(params.drive_upwind_deg_s),
        drive_downwind=math.radians(params.drive_downwind_deg_s),
    )


def initial_state(constants: Constants) -> State:
    """All filters empty."""
    return State(0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0)


def initial_behaviour(constants: Constants) -> int:
    """Behaviour code at the start."""
    return 0


def step(
    observation: Observation, state: State, c: Constants, noise: Noise, dt_s: float
) -> tuple[Action, State]:
    """One step of explicit Euler, in the order of the authors' code."""
    heading = observation.heading_rad
    odor = max(observation.odor, 0.0)

    clipped = 0
    p = (c.turn_base - c.turn_on * state.on + c.turn_off * state.off) * dt_s
    if p > 1.0:
        clipped = 1
    jump = 0.0
    if noise.turn < p:
        g = normal(noise.size_a, noise.size_b)
        if c.published > 0.5:
            g = g * g
        jump = c.turn_sd * g if noise.sign < 0.5 else -c.turn_sd * g

    drive = 0.0
    if observation.wind_x_mm_s != 0.0 or observation.wind_y_mm_s != 0.0:
        off_wind = heading
        if observation.wind_y_mm_s != 0.0 or observation.wind_x_mm_s < 0.0:
            off_wind -= math.atan2(observation.wind_y_mm_s, observation.wind_x_mm_s)
        if c.published > 0.5:
            shape = SINES[int(modulo(math.degrees(off_wind), 359.0) + 0.5)]
        else:
            shape = math.sin(off_wind)
        drive = (c.drive_upwind * state.on - c.drive_downwind) * shape * dt_s

    speed = max(0.0, c.speed * (1.0 + c.speed_on * state.on - c.speed_off * state.off))
    action = Action(
        speed * math.cos(heading), speed * math.sin(heading), heading + jump + drive, 0, clipped
    )

    # compression uses the adaptation before its update
    k_on = odor / (odor + c.beta + state.a_on)
    k_off = odor / (odor + c.beta + state.a_off)
    # the published code stores k_off one slot late and OFF another one later
    k_off_used = state.k_off if c.published > 0.5 else k_off
    r_fast = state.r_fast + (k_off_used - state.r_fast) * (dt_s / c.tau_off_fast)
    s_slow = state.s_slow + (k_off_used - state.s_slow) * (dt_s / c.tau_off_slow)
    lagged = c.published > 0.5
    off = max(0.0, state.s_slow - state.r_fast) if lagged else max(0.0, s_slow - r_fast)
    return action, State(
        state.a_on + (odor - state.a_on) * (dt_s / c.tau_a_on),
        state.a_off + (odor - state.a_off) * (dt_s / c.tau_a_off),
        state.on + (k_on - state.on) * (dt_s / c.tau_on),
        k_off,
        r_fast,
        s_slow,
        off,
    )
