"""Stochastic walks, stops and turns, timed by odour encounters (Demir 2020).

A fly switches between walking and standing and turns at random; encounters shorten stops, delay
stopping and bias turns upwind. Specification of one step: docs/conventions.md.
"""

from __future__ import annotations

import math
from typing import Any, Literal, NamedTuple

from plumenav.models._contract import Action, ModelParams, Observation, parameter
from plumenav.models._encounters import is_whiff, logistic, upwind_is_left
from plumenav.models._math import NEVER, SLACK_S, normal, opposite

CITATION = (
    "Demir M, Kadakia N et al. (2020) Walking Drosophila navigate complex plumes using stochastic "
    "decisions biased by the timing of odor encounters. eLife 9:e57524"
)
LAB = "authors' simulation code"
FLYGYM = "FlyGym's PlumeNavigationController differs"


class Params(ModelParams):
    """Parameters of the walk-stop-turn model."""

    stop_base_hz: float = parameter(0.78, "1/s", "walk-to-stop rate", LAB, ge=0)
    stop_gain_hz: float = parameter(-0.61, "1/s", "its change just after an encounter", LAB)
    tau_stop_s: float = parameter(0.25, "s", "decay of that change", LAB, gt=0)
    start_base_hz: float = parameter(0.29, "1/s", "stop-to-walk rate", LAB, ge=0)
    start_gain_hz: float = parameter(0.41, "1/s", "its increase per recent encounter", LAB)
    tau_start_s: float = parameter(
        0.52, "s", "decay of encounter evidence while standing", LAB, gt=0
    )
    turn_hz: float = parameter(1 / 0.75, "1/s", "turn rate while walking", LAB, ge=0)
    turn_mean_deg: float = parameter(30.0, "deg", "mean turn size", LAB)
    turn_sd_deg: float = parameter(8.0, "deg", "standard deviation of turn size", LAB, ge=0)
    alpha: float = parameter(0.242, "1", "bias of turns upwind per remembered encounter", LAB)
    tau_turn_s: float = parameter(2.0, "s", "memory of encounters for turning", LAB, gt=0)
    refractory_s: float = parameter(0.1, "s", "shortest time between encounters", LAB, ge=0)
    drift_sd_deg: float = parameter(
        20.0 / math.sqrt(89.94),
        "deg/sqrt(s)",
        "diffusion of heading while walking straight",
        LAB + " (20/89.94 deg per sample of 1/89.94 s)",
        ge=0,
    )
    speed_mm_s: float = parameter(10.1, "mm/s", "walking speed", LAB + " (run script)", ge=0)
    start_walking: bool = parameter(True, "1", "walking at t = 0", "ours: not stated")
    evidence: Literal["onset", "time_in_odor"] = parameter(
        "onset",
        "1",
        "what is remembered: onset: encounters (numbers); time_in_odor: time in odour (seconds), "
        "also through a stop, without refractory time",
        f"{LAB}; {FLYGYM}",
    )
    event_probability: Literal["linear", "exponential"] = parameter(
        "linear",
        "1",
        "probability of an event in a step: rate * dt, or 1 - exp(-rate * dt)",
        f"{LAB}; {FLYGYM}",
    )
    turn_duration_s: float = parameter(
        0.0, "s", "how long a turn takes; 0: one step", f"{LAB}; {FLYGYM}", ge=0
    )


# the laboratory's code holds two speeds, refractory times, thresholds and places of the antennae
PRESETS: dict[str, dict[str, Any]] = {
    "demir_2020": {},
    "demir_2020_class_defaults": {"speed_mm_s": 11.5},
    "demir_2020_docstring_antenna": {},
    "jayaram_2022_refractory": {"refractory_s": 0.085},
    "flygym": {
        "evidence": "time_in_odor",
        "event_probability": "exponential",
        "turn_duration_s": 0.25,
        "stop_gain_hz": -0.8,
        "tau_stop_s": 0.2,
        "start_base_hz": 0.5,
        "start_gain_hz": 1.0,
        "turn_hz": 1.33,
        "alpha": 0.8,
        "drift_sd_deg": 0.0,
    },
}
PRESET_SENSORS: dict[str, dict[str, Any]] = {
    "demir_2020_class_defaults": {"threshold": {"value": 2.5, "unit": "noise_sd"}},
    # 14 pixels ahead, semi-axes 5 and 1.5 pixels of 0.154 mm
    "demir_2020_docstring_antenna": {
        "parameters": {"centre_mm": 2.156, "along_mm": 0.231, "across_mm": 0.77}
    },
}
FAMILY = "fly"
PUBLICATION_DT_S = 1 / 89.94
SENSOR: dict[str, Any] = {
    "shape": "ellipse",
    "interpolation": "bilinear",
    "threshold": {"value": 2.749, "unit": "noise_sd"},
    "dead_zone": None,
}
NEEDS_WIND = True
BEHAVIOURS = ("stand", "walk", "turn")


class Constants(NamedTuple):
    """Parameters in radians and seconds."""

    stop_base: float
    stop_gain: float
    tau_stop: float
    start_base: float
    start_gain: float
    tau_start: float
    turn: float
    turn_mean: float
    turn_sd: float
    alpha: float
    tau_turn: float
    refractory: float
    drift_sd: float
    speed: float
    start_walking: float
    time_in_odor: float
    exponential: float
    turn_duration: float


class State(NamedTuple):
    """Memory at the start of a step."""

    walking: float
    in_odor: float  # in the previous step
    last_whiff_s: float
    w: float  # remembered encounters, for turning
    evidence: float  # encounters since the stop began, for starting
    turn_end_s: float  # a turn that takes longer than a step: when it ends, and its whole size
    turn_size: float


class Noise(NamedTuple):
    """Draws of one step."""

    stop: float
    turn: float
    start: float
    direction: float
    size_a: float
    size_b: float
    drift_a: float
    drift_b: float


def mirrored(noise: Noise) -> Noise:
    """Draws of the mirror image: heading drifts to the other side; turns follow the wind."""
    return noise._replace(drift_b=opposite(noise.drift_b))


def problem(params: Params, dt_s: float) -> str | None:
    """Probabilities that are linear in the step must not exceed 1."""
    if params.event_probability == "exponential":
        return None
    for name in ("stop_base_hz", "start_base_hz", "turn_hz"):
        rate = getattr(params, name)
        if rate * dt_s > 1.0:
            return f"{name} {rate:g} is above 1/dt = {1.0 / dt_s:g}"
    return None


def constants(params: Params, wind_speed_mm_s: float) -> Constants:
    """Physical constants of the step."""
    return Constants(
        stop_base=params.stop_base_hz,
        stop_gain=params.stop_gain_hz,
        tau_stop=params.tau_stop_s,
        start_base=params.start_base_hz,
        start_gain=params.start_gain_hz,
        tau_start=params.tau_start_s,
        turn=params.turn_hz,
        turn_mean=math.radians(params.turn_mean_deg),
        turn_sd=math.radians(params.turn_sd_deg),
        alpha=params.alpha,
        tau_turn=params.tau_turn_s,
        refractory=params.refractory_s,
        drift_sd=math.radians(params.drift_sd_deg),
        speed=params.speed_mm_s,
        start_walking=1.0 if params.start_walking else 0.0,
        time_in_odor=1.0 if params.evidence == "time_in_odor" else 0.0,
        exponential=1.0 if params.event_probability == "exponential" else 0.0,
        turn_duration=params.turn_duration_s,
    )


def initial_state(constants: Constants) -> State:
    """No encounter yet."""
    return State(constants.start_walking, 0.0, NEVER, 0.0, 0.0, NEVER, 0.0)


def initial_behaviour(constants: Constants) -> int:
    """Behaviour code at the start."""
    return 1 if constants.start_walking > 0.5 else 0


def probability(rate: float, c: Constants, dt_s: float) -> float:
    """Probability of an event in a step."""
    return 1.0 - math.exp(-max(rate, 0.0) * dt_s) if c.exponential > 0.5 else rate * dt_s


def step(
    observation: Observation, state: State, c: Constants, noise: Noise, dt_s: float
) -> tuple[Action, State]:
    """One step: encounter, memories, one decision of the current bout, turn or drift."""
    t = observation.time_s
    heading = observation.heading_rad
    walking = state.walking > 0.5
    in_odor = observation.odor >= observation.threshold

    hit = 0.0
    last_whiff = state.last_whiff_s
    if c.time_in_odor > 0.5:
        if in_odor:
            hit = dt_s
            last_whiff = t
    elif is_whiff(in_odor, state.in_odor > 0.5, t - last_whiff, c.refractory):
        hit = 1.0
        last_whiff = t
    w = state.w * math.exp(-dt_s / c.tau_turn) + hit
    evidence = state.evidence * math.exp(-dt_s / c.tau_start) + hit

    clipped = 0
    stops = False
    turns = False
    starts = False
    turning = t < state.turn_end_s - SLACK_S
    if walking and not turning:
        rate = c.stop_base
        if last_whiff > NEVER:
            rate += c.stop_gain * math.exp(-(t - last_whiff) / c.tau_stop)
        p_stop = probability(rate, c, dt_s)
        p_turn = probability(c.turn, c, dt_s)
        stops = noise.stop < p_stop
        turns = not stops and noise.turn < p_turn
        if p_stop > 1.0:
            clipped += 1
        if p_turn > 1.0:
            clipped += 1
    elif not walking:
        p_start = probability(c.start_base + c.start_gain * evidence, c, dt_s)
        starts = noise.start < p_start
        if p_start > 1.0:
            clipped += 1

    turn_end = state.turn_end_s
    turn_size = state.turn_size
    if turns:
        size = c.turn_mean + c.turn_sd * normal(noise.size_a, noise.size_b)
        upwind = noise.direction < logistic(c.alpha * w)
        left = upwind == upwind_is_left(observation.wind_x_mm_s, observation.wind_y_mm_s, heading)
        turn_size = size if left else -size
        turn_end = t + c.turn_duration

    new_heading = heading
    velocity_x = 0.0
    velocity_y = 0.0
    if walking:
        velocity_x = c.speed * math.cos(heading)
        velocity_y = c.speed * math.sin(heading)
        if turning or turns:
            share = 1.0
            if turn_end - t > dt_s or turning:
                share = min(dt_s, turn_end - t) / c.turn_duration
            new_heading = heading + turn_size * share
        else:
            g = normal(noise.drift_a, noise.drift_b)
            new_heading = heading + c.drift_sd * math.sqrt(dt_s) * g

    if stops:
        walking = False
        if c.time_in_odor < 0.5:
            evidence = 0.0
    if starts:
        walking = True
    behaviour = 0
    if turning or turns:
        behaviour = 2
    elif walking:
        behaviour = 1
    return (
        Action(velocity_x, velocity_y, new_heading, behaviour, clipped),
        State(
            1.0 if walking else 0.0,
            1.0 if in_odor else 0.0,
            last_whiff,
            w,
            evidence,
            turn_end,
            turn_size,
        ),
    )
