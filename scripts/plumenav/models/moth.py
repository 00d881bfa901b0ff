"""Counter-turning moth: upwind while pheromone lasts, crosswind sweeps after it (mothpy).

Five ways to navigate, six to cast, three to wait for the first odour, each a parameter; the
published navigators are presets. `liberzon_2018` remembers odour for as long as the last puff took
to cross, and sweeps for 1.5 times that. The code's quirks are named, not reproduced, in
docs/conventions.md, which also says what one step is.
"""

from __future__ import annotations

import math
from typing import Any, Literal, NamedTuple

from plumenav.models._contract import Action, ModelParams, Observation, parameter
from plumenav.models._math import NEVER, SLACK_S, normal, other_side

CITATION = (
    "Liberzon A, Harrington K, Daniel N, Gurka R, Harari A, Zilman G (2018) Moth-inspired "
    "navigation algorithm in a turbulent odor plume from a pulsating source. PLoS ONE 13:e0198422; "
    "Li W, Farrell JA, Carde RT (2001) Tracking of fluid-advected odor plumes: strategies inspired "
    "by insect orientation to pheromone. Adaptive Behavior 9:143-170"
)
CODE = "authors' simulation code (mothpy)"
WAIT, NAVIGATE, CAST = 0, 1, 2
# li_progressive: time since odour up to which an angle to upwind is flown
FIRST_S, SECOND_S = 0.1, 0.3
FIRST_RAD, SECOND_RAD, THIRD_RAD = math.radians(10.0), math.radians(65.0), math.radians(80.0)
# casting: which sweep is longer, and by how much
LONG_SWEEPS = {"carde1": (6.0, 3.0), "carde2": (7.0, 7.0)}


class Params(ModelParams):
    """Parameters of the moth."""

    navigation: Literal["liberzon_2018", "upwind", "angled", "li_constant", "li_progressive"] = (
        parameter(
            "liberzon_2018",
            "1",
            "while odour is remembered. upwind: straight; angled: at nav_angle_deg to upwind; "
            "li_constant: upwind in odour, else at nav_angle_deg; li_progressive: at 10 deg, after "
            "0.1 s without odour 65, after 0.3 s 80; liberzon_2018: upwind, memory and sweeps set "
            "by the last puff",
            CODE,
        )
    )
    casting: Literal["regular", "growing", "carde1", "carde2", "straight", "still"] = parameter(
        "regular",
        "1",
        "after odour is forgotten. regular: equal sweeps; growing: from the third sweep each "
        "longer; carde1: every 6th sweep 3 times as long; carde2: every 7th 7 times; straight: no "
        "reversal; still: no movement",
        CODE,
    )
    waiting: Literal["still", "straight", "random_walk"] = parameter(
        "still", "1", "before the first odour; straight: as casting, without reversal", CODE
    )
    # mothpy moves 200 cells/s on cells of 8 by 2 mm
    speed_mm_s: float = parameter(
        400.0, "mm/s", "ground speed", "ours: the code's is in cells that are not square", gt=0
    )
    memory_s: float = parameter(
        0.1, "s", "after the last odour it still navigates (not liberzon_2018)", CODE, ge=0
    )
    sweep_s: float = parameter(0.5, "s", "length of a sweep (not liberzon_2018)", CODE, gt=0)
    crossing_gain: float = parameter(
        1.5, "1", "length of a sweep per crossing time of the last puff (liberzon_2018)", CODE, gt=0
    )
    growth: float = parameter(1.5, "1", "from one sweep to the next (growing)", CODE, ge=1)
    nav_angle_deg: float = parameter(30.0, "deg", "to upwind (angled, li_constant)", CODE, ge=0)
    cast_angle_deg: float = parameter(90.0, "deg", "to upwind while casting", CODE, ge=0, le=180)
    wait_turn_deg: float = parameter(
        50.0, "deg/sqrt(s)", "mean turn of a waiting random walk", f"{CODE}: 5 deg in 0.01 s", ge=0
    )
    wait_turn_sd_deg: float = parameter(
        10.0, "deg/sqrt(s)", "its standard deviation", f"{CODE}: 1 deg in 0.01 s", ge=0
    )


PRESETS: dict[str, dict[str, Any]] = {
    "liberzon_2018": {},
    "liberzon_2018_growing": {"casting": "growing"},
    "li_constant": {"navigation": "li_constant"},
    "li_progressive": {"navigation": "li_progressive"},
    "carde1": {"navigation": "upwind", "casting": "carde1"},
    "carde2": {"navigation": "upwind", "casting": "carde2"},
}
FAMILY = "casting"
PUBLICATION_DT_S = 0.01
SENSOR: dict[str, Any] = {
    "shape": "point",
    "interpolation": "nearest",
    "threshold": {"value": 5.0, "unit": "noise_sd"},
    "dead_zone": None,
}
NEEDS_WIND = True
BEHAVIOURS = ("wait", "navigate", "cast")
BEHAVIOURS_WITHOUT_ODOR = ("wait",)


class Constants(NamedTuple):
    """Parameters in seconds, radians and mm/s, and choices as numbers."""

    speed: float
    memory: float
    sweep: float
    crossing_gain: float  # 0: memory and sweep are fixed
    in_odor_rad: float  # angle to upwind in odour, and without it
    without_rad: float
    progressive: bool
    cast_rad: float
    cast_speed: float
    reverses: bool
    growth: float
    long_every: float
    long_gain: float
    wait_speed: float
    wait_walks: bool
    wait_turn: float
    wait_turn_sd: float


class State(NamedTuple):
    """What the moth remembers at the start of a step."""

    mode: float
    side: float  # 0: not drawn yet
    in_odor: float
    entered_s: float
    last_odor_s: float  # NEVER: waiting
    memory_s: float
    sweep_s: float
    sweep_number: float
    due_s: float


class Noise(NamedTuple):
    """Draws of one step."""

    first_side: float
    turn_sign: float
    turn_a: float
    turn_b: float


def mirrored(noise: Noise) -> Noise:
    """Draws of the mirror image: the first side and signs of turns are the other ones."""
    return noise._replace(
        first_side=other_side(noise.first_side), turn_sign=other_side(noise.turn_sign)
    )


def problem(params: Params, dt_s: float) -> str | None:
    """A sweep must last longer than a step."""
    if params.navigation != "liberzon_2018" and params.sweep_s < dt_s:
        return f"sweep_s = {params.sweep_s:g} is shorter than a step of {dt_s:g} s"
    return None


def constants(params: Params, wind_speed_mm_s: float) -> Constants:
    """Physical constants of the step."""
    nav = math.radians(params.nav_angle_deg)
    in_odor, without = {"angled": (nav, nav), "li_constant": (0.0, nav)}.get(
        params.navigation, (0.0, 0.0)
    )
    long_every, long_gain = LONG_SWEEPS.get(params.casting, (1.0, 1.0))
    return Constants(
        speed=params.speed_mm_s,
        memory=params.memory_s,
        sweep=params.sweep_s,
        crossing_gain=params.crossing_gain if params.navigation == "liberzon_2018" else 0.0,
        in_odor_rad=in_odor,
        without_rad=without,
        progressive=params.navigation == "li_progressive",
        cast_rad=math.radians(params.cast_angle_deg),
        cast_speed=0.0 if params.casting == "still" else params.speed_mm_s,
        reverses=params.casting not in ("straight", "still"),
        growth=params.growth if params.casting == "growing" else 1.0,
        long_every=long_every,
        long_gain=long_gain,
        wait_speed=0.0 if params.waiting == "still" else params.speed_mm_s,
        wait_walks=params.waiting == "random_walk",
        wait_turn=math.radians(params.wait_turn_deg),
        wait_turn_sd=math.radians(params.wait_turn_sd_deg),
    )


def initial_state(constants: Constants) -> State:
    """Waiting."""
    return State(WAIT, 0.0, 0.0, NEVER, NEVER, constants.memory, constants.sweep, 0.0, NEVER)


def initial_behaviour(constants: Constants) -> int:
    """Behaviour code at the start."""
    return WAIT


def sweep_length(number: float, sweep_s: float, c: Constants) -> float:
    """Seconds that a sweep lasts, counted from 1 since odour was forgotten."""
    length: float = sweep_s * c.growth ** max(0.0, number - 2.0)
    return length * c.long_gain if number % c.long_every == 0.0 else length


def step(
    observation: Observation, state: State, c: Constants, noise: Noise, dt_s: float
) -> tuple[Action, State]:
    """One step: puff, mode, reversal, velocity."""
    t = observation.time_s
    in_odor = observation.odor >= observation.threshold
    side = state.side
    entered = state.entered_s
    last_odor = state.last_odor_s
    memory = state.memory_s
    sweep = state.sweep_s
    number = state.sweep_number
    due = state.due_s
    if side == 0.0:
        side = 1.0 if noise.first_side < 0.5 else -1.0

    if in_odor:
        if state.in_odor == 0.0:
            entered = t
        last_odor = t
        if c.crossing_gain > 0.0:
            memory = t - entered + dt_s
            sweep = c.crossing_gain * memory

    if in_odor or (last_odor != NEVER and t - last_odor < memory - SLACK_S):
        mode = NAVIGATE
    elif last_odor != NEVER:
        mode = CAST
    else:
        mode = WAIT
    if mode == CAST:
        if state.mode != CAST:
            side = -side
            number = 1.0
            due = t + sweep_length(number, sweep, c)
        elif c.reverses and t >= due - SLACK_S:
            side = -side
            number += 1.0
            due = t + sweep_length(number, sweep, c)

    upwind = math.atan2(observation.wind_y_mm_s, observation.wind_x_mm_s) + math.pi
    if mode == NAVIGATE:
        speed = c.speed
        angle = c.in_odor_rad if in_odor else c.without_rad
        if c.progressive:
            if t - last_odor < FIRST_S - SLACK_S:
                angle = FIRST_RAD
            elif t - last_odor < SECOND_S - SLACK_S:
                angle = SECOND_RAD
            else:
                angle = THIRD_RAD
        heading = upwind - side * angle
    elif mode == CAST:
        speed = c.cast_speed
        heading = upwind - side * c.cast_rad if speed > 0.0 else observation.heading_rad
    else:
        speed = c.wait_speed
        heading = observation.heading_rad
        if c.wait_walks:
            size = c.wait_turn + c.wait_turn_sd * normal(noise.turn_a, noise.turn_b)
            heading += (1.0 if noise.turn_sign < 0.5 else -1.0) * size * math.sqrt(dt_s)
        elif speed > 0.0:
            heading = upwind - side * c.cast_rad
    return (
        Action(speed * math.cos(heading), speed * math.sin(heading), heading, mode, 0),
        State(
            float(mode),
            side,
            1.0 if in_odor else 0.0,
            entered,
            last_odor,
            memory,
            sweep,
            number,
            due,
        ),
    )
