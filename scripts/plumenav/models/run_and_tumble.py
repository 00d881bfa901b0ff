"""Run and tumble: walk on while it smells more and more, tumble sooner where it does not.

One nose and a short memory: the rate of tumbling follows the filtered change of the odour in time.
Specification of one step: docs/conventions.md.
"""

from __future__ import annotations

import math
from typing import Any, Literal, NamedTuple

from plumenav.models._contract import Action, ModelParams, Observation, parameter
from plumenav.models._gradient import FLIES, OURS
from plumenav.models._math import normal, opposite, other_side

CITATION = (
    "Berg HC, Brown DA (1972) Chemotaxis in Escherichia coli analysed by three-dimensional "
    "tracking. Nature 239:500-504 (the behaviour; rates in two standard forms, constants ours)"
)
LARGEST_EXPONENT = 20.0


class Params(ModelParams):
    """Parameters of the temporal gradient follower."""

    speed_mm_s: float = parameter(
        10.0, "mm/s", "walking speed", "ours: a walking fly's, rounded", ge=0
    )
    response: Literal["logarithmic", "exponential"] = parameter(
        "logarithmic",
        "1",
        "logarithmic: tumble_hz * (1 - chi * d ln(C + c0)/dt), not below 0; exponential: "
        "tumble_hz * exp(-chi * dC/dt)",
        "ours: two standard forms",
    )
    tumble_hz: float = parameter(1.0, "1/s", "rate of tumbling where nothing changes", OURS, ge=0)
    chi_s: float = parameter(
        5.0, "s", "how strongly the rate of tumbling follows the change of the odour", OURS
    )
    tau_s: float = parameter(0.5, "s", "filter of the change", OURS, gt=0)
    c0: float = parameter(
        0.01,
        "fraction of source",
        "logarithmic: odour below which changes fade",
        FLIES + " (beta)",
        gt=0,
    )
    tumble: Literal["uniform", "normal"] = parameter(
        "uniform", "1", "new heading: any, or normal around the old one", "ours: two standard forms"
    )
    tumble_sd_deg: float = parameter(
        60.0, "deg", "normal: standard deviation of a tumble", OURS, ge=0
    )
    turn_sd_deg: float = parameter(
        0.0, "deg/sqrt(s)", "diffusion of the heading in runs", OURS, ge=0
    )


PRESETS: dict[str, dict[str, Any]] = {
    "logarithmic": {},
    "exponential": {"response": "exponential"},
}
FAMILY = "gradient"
PUBLICATION_DT_S = 0.02
SENSOR: dict[str, Any] = {
    "shape": "point",
    "interpolation": "bilinear",
    "threshold": {"value": 5.0, "unit": "noise_sd"},
    "dead_zone": {"value": 5.0, "unit": "noise_sd"},
}
NEEDS_WIND = False
BEHAVIOURS = ("run", "tumble")


def problem(params: Params, dt_s: float) -> str | None:
    """Why these parameters cannot run at this step."""
    if params.tumble_hz * dt_s > 1.0:
        return f"tumble_hz is {params.tumble_hz:g}, more than one in a step of {dt_s:g} s"
    return None


class Constants(NamedTuple):
    """Parameters in radians and seconds."""

    speed: float
    logarithmic: float
    tumble_rate: float
    chi: float
    tau: float
    c0: float
    uniform: float
    tumble_sd: float
    turn_sd: float


class State(NamedTuple):
    """Whether something was smelled before, and its low-pass."""

    primed: float
    smelled: float


class Noise(NamedTuple):
    """Draws of one step."""

    tumble: float
    angle: float
    size_a: float
    size_b: float
    turn_a: float
    turn_b: float


def mirrored(noise: Noise) -> Noise:
    """Draws of the mirror image: every tumble and turn to the other side."""
    return noise._replace(
        angle=other_side(noise.angle),
        size_b=opposite(noise.size_b),
        turn_b=opposite(noise.turn_b),
    )


def constants(params: Params, wind_speed_mm_s: float) -> Constants:
    """Physical constants of the step."""
    return Constants(
        speed=params.speed_mm_s,
        logarithmic=1.0 if params.response == "logarithmic" else 0.0,
        tumble_rate=params.tumble_hz,
        chi=params.chi_s,
        tau=params.tau_s,
        c0=params.c0,
        uniform=1.0 if params.tumble == "uniform" else 0.0,
        tumble_sd=math.radians(params.tumble_sd_deg),
        turn_sd=math.radians(params.turn_sd_deg),
    )


def initial_state(constants: Constants) -> State:
    """Nothing smelled yet."""
    return State(0.0, 0.0)


def initial_behaviour(constants: Constants) -> int:
    """Behaviour code at the start."""
    return 0


def step(
    observation: Observation, state: State, c: Constants, noise: Noise, dt_s: float
) -> tuple[Action, State]:
    """Run; tumble at a rate that follows the change of the odour."""
    heading = observation.heading_rad
    odor = max(observation.odor, 0.0)
    smells = math.log(odor + c.c0) if c.logarithmic > 0.5 else odor
    smelled = state.smelled if state.primed > 0.5 else smells
    caught_up = (smells - smelled) * (1.0 - math.exp(-dt_s / c.tau))
    change = caught_up / dt_s

    if c.logarithmic > 0.5:
        rate = c.tumble_rate * max(0.0, 1.0 - c.chi * change)
    else:
        exponent = min(max(-c.chi * change, -LARGEST_EXPONENT), LARGEST_EXPONENT)
        rate = c.tumble_rate * math.exp(exponent)
    p = rate * dt_s
    clipped = 1 if p > 1.0 else 0

    turn = c.turn_sd * math.sqrt(dt_s) * normal(noise.turn_a, noise.turn_b)
    behaviour = 0
    if noise.tumble < p:
        behaviour = 1
        if c.uniform > 0.5:
            turn += (2.0 * noise.angle - 1.0) * math.pi
        else:
            turn += c.tumble_sd * normal(noise.size_a, noise.size_b)
    return (
        Action(
            c.speed * math.cos(heading),
            c.speed * math.sin(heading),
            heading + turn,
            behaviour,
            clipped,
        ),
        State(1.0, smelled + caught_up),
    )
