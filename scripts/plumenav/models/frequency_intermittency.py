"""Turns upwind by the frequency of odour encounters and by the time in odour (Jayaram 2022).

A fly that always walks and turns at random; two memories, of encounters (frequency) and of odour's
presence (intermittency), bias its turns upwind. Specification of one step: docs/conventions.md.
"""

from __future__ import annotations

import math
from typing import Any, Literal, NamedTuple

from plumenav.models._contract import Action, ModelParams, Observation, parameter
from plumenav.models._encounters import is_whiff, logistic, upwind_is_left
from plumenav.models._math import NEVER, normal

CITATION = (
    "Jayaram V, Kadakia N, Emonet T (2022) Sensing complementary temporal features of odor signals "
    "enhances navigation of diverse turbulent plumes. eLife 11:e72415"
)
LAB = "authors' simulation code"


class Params(ModelParams):
    """Parameters of the frequency-and-intermittency model."""

    alpha: float = parameter(0.242, "1", "bias of turns upwind per remembered encounter", LAB)
    beta: float = parameter(3.872, "1", "bias of turns upwind at ON = 1", LAB)
    tau_turn_s: float = parameter(2.0, "s", "memory of encounters", LAB, gt=0)
    refractory_s: float = parameter(
        0.085, "s", "shortest time between encounters", LAB + " (0.04 with packets)", ge=0
    )
    drive: Literal["binary", "adapting"] = parameter(
        "binary",
        "1",
        "what ON follows: binary: 0.5 in odour; adapting: the adapting compression of the ON/OFF "
        "model",
        LAB + " (new_on: the published runs)",
    )
    k_d: float = parameter(
        3.0 / 2.83,
        "thresholds",
        "half-saturation of the adapting drive",
        LAB + " (3 grey levels at a threshold of 2.83; the unit is ours)",
        gt=0,
    )
    tau_adaptation_s: float = parameter(9.8, "s", "adaptation of the adapting drive", LAB, gt=0)
    tau_on_s: float = parameter(2.0, "s", "ON filter", LAB, gt=0)
    turn_hz: float = parameter(1.333, "1/s", "turn rate", LAB, ge=0)
    turn_mean_deg: float = parameter(30.0, "deg", "mean turn size", LAB)
    turn_sd_deg: float = parameter(8.0, "deg", "standard deviation of turn size", LAB, ge=0)
    speed_mm_s: float = parameter(10.1, "mm/s", "walking speed", LAB, ge=0)


PACKETS: dict[str, Any] = {"refractory_s": 0.04, "k_d": 3.0}
PRESETS: dict[str, dict[str, Any]] = {
    "jayaram_2022_video": {},
    "jayaram_2022_packets": PACKETS,
    "jayaram_2022_frequency_only": {"beta": 0.0},
    "jayaram_2022_intermittency_only": {"alpha": 0.0},
}
PRESET_SENSORS: dict[str, dict[str, Any]] = {
    "jayaram_2022_packets": {"threshold": {"value": 1.0, "unit": "absolute"}}
}
FAMILY = "fly"
PUBLICATION_DT_S = 1 / 89.94
SENSOR: dict[str, Any] = {
    "shape": "ellipse",
    "parameters": {"centre_mm": 1.0, "along_mm": 0.25, "across_mm": 0.75, "spacing_mm": 0.25},
    "interpolation": "bilinear",
    "threshold": {"value": 2.749, "unit": "noise_sd"},
    "dead_zone": None,
}
NEEDS_WIND = True
BEHAVIOURS = ("walk", "turn")


class Constants(NamedTuple):
    """Parameters in radians and seconds."""

    alpha: float
    beta: float
    tau_turn: float
    refractory: float
    adapting: float
    k_d: float
    tau_adaptation: float
    tau_on: float
    turn: float
    turn_mean: float
    turn_sd: float
    speed: float


class State(NamedTuple):
    """Memory at the start of a step."""

    in_odor: float  # in the previous step
    last_whiff_s: float
    w: float  # remembered encounters
    adaptation: float
    on: float  # remembered presence of odour


class Noise(NamedTuple):
    """Draws of one step."""

    turn: float
    direction: float
    size_a: float
    size_b: float


def mirrored(noise: Noise) -> Noise:
    """Draws of the mirror image: the same, turns follow the wind."""
    return noise


def problem(params: Params, dt_s: float) -> str | None:
    """Probabilities are linear in the step, ON is stepped by explicit Euler."""
    if params.turn_hz * dt_s > 1.0:
        return f"turn_hz {params.turn_hz:g} is above 1/dt = {1.0 / dt_s:g}"
    shortest = min(params.tau_on_s, params.tau_adaptation_s)
    if dt_s > shortest:
        return f"a step of {dt_s:g} s is longer than the shortest time constant, {shortest:g} s"
    return None


def constants(params: Params, wind_speed_mm_s: float) -> Constants:
    """Physical constants of the step."""
    return Constants(
        alpha=params.alpha,
        beta=params.beta,
        tau_turn=params.tau_turn_s,
        refractory=params.refractory_s,
        adapting=1.0 if params.drive == "adapting" else 0.0,
        k_d=params.k_d,
        tau_adaptation=params.tau_adaptation_s,
        tau_on=params.tau_on_s,
        turn=params.turn_hz,
        turn_mean=math.radians(params.turn_mean_deg),
        turn_sd=math.radians(params.turn_sd_deg),
        speed=params.speed_mm_s,
    )


def initial_state(constants: Constants) -> State:
    """No encounter yet."""
    return State(0.0, NEVER, 0.0, 0.0, 0.0)


def initial_behaviour(constants: Constants) -> int:
    """Behaviour code at the start."""
    return 0


def remembered(observation: Observation, state: State, c: Constants, dt_s: float) -> State:
    """Both memories after the odour of this step."""
    in_odor = observation.odor >= observation.threshold
    odor = max(observation.odor, 0.0)
    whiff = 0.0
    last_whiff = state.last_whiff_s
    if is_whiff(in_odor, state.in_odor > 0.5, observation.time_s - last_whiff, c.refractory):
        whiff = 1.0
        last_whiff = observation.time_s
    drive = 0.5 if in_odor else 0.0
    if c.adapting > 0.5:
        # compression uses the adaptation before its update
        half = c.k_d * observation.threshold + state.adaptation
        drive = odor / (odor + half) if odor > 0.0 else 0.0
    return State(
        1.0 if in_odor else 0.0,
        last_whiff,
        state.w * math.exp(-dt_s / c.tau_turn) + whiff,
        state.adaptation + (odor - state.adaptation) * (dt_s / c.tau_adaptation),
        state.on + (drive - state.on) * (dt_s / c.tau_on),
    )


def walked(
    heading: float, turns: bool, left: bool, c: Constants, noise: Noise, dt_s: float
) -> Action:
    """Walk along the old heading, and turn if a turn was decided."""
    new_heading = heading
    if turns:
        size = c.turn_mean + c.turn_sd * normal(noise.size_a, noise.size_b)
        new_heading = heading + size if left else heading - size
    return Action(
        c.speed * math.cos(heading),
        c.speed * math.sin(heading),
        new_heading,
        1 if turns else 0,
        1 if c.turn * dt_s > 1.0 else 0,
    )


def step(
    observation: Observation, state: State, c: Constants, noise: Noise, dt_s: float
) -> tuple[Action, State]:
    """One step: both memories, then a turn, upwind the likelier the more they hold."""
    heading = observation.heading_rad
    after = remembered(observation, state, c, dt_s)
    turns = noise.turn < c.turn * dt_s
    left = True
    if turns:
        upwind = noise.direction < logistic(c.alpha * after.w + c.beta * after.on)
        left = upwind == upwind_is_left(observation.wind_x_mm_s, observation.wind_y_mm_s, heading)
    return walked(heading, turns, left, c, noise, dt_s), after
