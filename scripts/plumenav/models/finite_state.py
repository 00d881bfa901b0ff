"""A controller with small memory, given as a table of pi(action, memory' | memory, odour).

Any finite-state controller, published, learned or made by hand, is a CSV file; two made by hand are
in models/controllers/. Specification of one step: docs/conventions.md.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np

from plumenav.errors import UserError
from plumenav.models._contract import (
    Action,
    ModelParams,
    Observation,
    Surroundings,
    parameter,
)
from plumenav.models._controllers import ACTIONS, CROSSWIND, Row, checked_rows, read_controller
from plumenav.models._math import SLACK_S, other_side

CITATION = (
    "Verano KVB, Panizon E, Celani A (2023) Olfactory search with finite-state controllers. "
    "PNAS 120:e2304230120 (the form; the tables that come along are made by hand)"
)


class Params(ModelParams):
    """Parameters of a finite-state controller."""

    table: str = parameter(
        "cast_clock",
        "1",
        "name of a table that comes along (cast_clock, three_step_memory), or path of a CSV file "
        "with the columns memory, odor, action, next_memory, probability, from the config's folder",
        "ours",
    )
    rows: list[Row] | None = parameter(
        None,
        "1",
        "the table itself: [memory, odor, action, next_memory, probability], ...; if given, "
        "`table` is only its name",
        "from `table`",
    )
    start_memory: int = parameter(1, "1", "memory at the start", "ours", ge=1)
    decision_interval_s: float = parameter(0.5, "s", "between decisions", "ours", gt=0)
    speed_mm_s: float = parameter(10.0, "mm/s", "speed of every action but stay", "ours", ge=0)
    odor: Literal["since_last", "at_decision"] = parameter(
        "since_last",
        "1",
        "since_last: odour is what was met since the last decision; at_decision: what is there",
        "ours",
    )


PRESETS: dict[str, dict[str, Any]] = {
    "cast_clock": {},
    "three_step_memory": {"table": "three_step_memory"},
}
FAMILY = "controller"
PUBLICATION_DT_S = 0.02
SENSOR: dict[str, Any] = {
    "shape": "point",
    "interpolation": "bilinear",
    "threshold": {"value": 5.0, "unit": "noise_sd"},
    "dead_zone": None,
}
NEEDS_WIND = True
# left and right are one: which is which depends on the side that was drawn
BEHAVIOURS = ("stay", "upwind", "downwind", "crosswind")


class Constants(NamedTuple):
    """Parameters in seconds and mm/s."""

    start_memory: float
    decision_interval: float
    speed: float
    since_last: float


class State(NamedTuple):
    """What the controller remembers at the start of a step."""

    side: float  # 0: not drawn yet
    memory: float
    smelled: float  # odour since the last decision
    decision_s: float  # when the next one is due
    action: float


class Noise(NamedTuple):
    """Draws of one step."""

    first_side: float
    choice: float


class Tables(NamedTuple):
    """The controller; shape (memories, 2, most options).

    Attributes
    ----------
    cumulative : ndarray of float
        Sum of the probabilities up to and including an option; infinite from the last one on.
    action, next_memory : ndarray of int
        What an option does, and what it remembers.
    """

    cumulative: np.ndarray
    action: np.ndarray
    next_memory: np.ndarray


def mirrored(noise: Noise) -> Noise:
    """Draws of the mirror image: left and right are exchanged for good."""
    return noise._replace(first_side=other_side(noise.first_side))


def resolve_parameters(parameters: dict[str, Any], folder: Path, where: str) -> dict[str, Any]:
    """Parameters with the content of the table.

    Raises
    ------
    UserError
        If the table is not there, or no controller, or has no such first memory.
    """
    given = parameters["rows"]
    rows = (
        read_controller(parameters["table"], folder, f"{where}table")
        if given is None
        else checked_rows(
            [(f"{where}rows[{i}]", row) for i, row in enumerate(given)], f"{where}rows"
        )
    )
    memories = max(row[0] for row in rows)
    if parameters["start_memory"] > memories:
        raise UserError(
            f"{where}start_memory", f"found {parameters['start_memory']}", f"1 to {memories}"
        )
    return {**parameters, "rows": [list(row) for row in rows]}


def problem(params: Params, dt_s: float) -> str | None:
    """Why a controller cannot run at this step."""
    if params.decision_interval_s < dt_s - SLACK_S:
        return f"decision_interval_s {params.decision_interval_s:g} is shorter than a step"
    return None


def constants(params: Params, wind_speed_mm_s: float) -> Constants:
    """Physical constants of the step."""
    return Constants(
        start_memory=float(params.start_memory),
        decision_interval=params.decision_interval_s,
        speed=params.speed_mm_s,
        since_last=1.0 if params.odor == "since_last" else 0.0,
    )


def tables(params: Params, constants: Constants, surroundings: Surroundings) -> Tables:
    """The controller as arrays (see :class:`Tables`)."""
    options: dict[tuple[int, int], list[Row]] = {}
    for row in params.rows or []:
        # what never happens must not be what rounding leaves over
        if row[4] > 0.0:
            options.setdefault((row[0], row[1]), []).append(row)
    shape = (max(m for m, _ in options), 2, max(len(rows) for rows in options.values()))
    cumulative = np.full(shape, np.inf)
    action = np.zeros(shape, np.int64)
    next_memory = np.ones(shape, np.int64)
    for (m, y), rows in options.items():
        total = 0.0
        for k, (_, _, name, after, probability) in enumerate(rows):
            total += probability
            if k + 1 < len(rows):
                cumulative[m - 1, y, k] = total
            action[m - 1, y, k] = ACTIONS[name]
            next_memory[m - 1, y, k] = after
    for array in (cumulative, action, next_memory):
        array.flags.writeable = False
    return Tables(cumulative, action, next_memory)


def initial_memory(tables: Tables) -> np.ndarray:
    """Nothing: the one number it remembers is part of the state."""
    return np.zeros(0)


def initial_state(constants: Constants) -> State:
    """Staying; the first decision is due."""
    return State(0.0, constants.start_memory, 0.0, 0.0, 0.0)


def initial_behaviour(constants: Constants) -> int:
    """Behaviour code at the start."""
    return 0


def step(
    observation: Observation,
    state: State,
    c: Constants,
    noise: Noise,
    dt_s: float,
    memory: np.ndarray,
    tables: Tables,
) -> tuple[Action, State]:
    """One step: smell, decide if it is time, walk."""
    side = state.side
    if side == 0.0:
        side = 1.0 if noise.first_side < 0.5 else -1.0
    in_odor = 1.0 if observation.odor >= observation.threshold else 0.0
    smelled = max(state.smelled, in_odor) if c.since_last > 0.5 else in_odor
    remembered = state.memory
    decision = state.decision_s
    action = state.action
    if observation.time_s >= decision - SLACK_S:
        m = int(remembered) - 1
        y = int(smelled)
        k = 0
        while noise.choice >= tables.cumulative[m, y, k]:
            k += 1
        action = float(tables.action[m, y, k])
        remembered = float(tables.next_memory[m, y, k])
        decision += c.decision_interval
        smelled = 0.0

    heading = observation.heading_rad
    velocity_x = 0.0
    velocity_y = 0.0
    behaviour = int(action)
    if behaviour > 0:
        downwind = math.atan2(observation.wind_y_mm_s, observation.wind_x_mm_s)
        along_x = math.cos(downwind)
        along_y = math.sin(downwind)
        if behaviour == 1:
            heading = downwind + math.pi
            velocity_x = -c.speed * along_x
            velocity_y = -c.speed * along_y
        elif behaviour == 2:
            heading = downwind
            velocity_x = c.speed * along_x
            velocity_y = c.speed * along_y
        else:
            left = side if behaviour == 3 else -side
            heading = downwind + left * (0.5 * math.pi)
            velocity_x = -left * c.speed * along_y
            velocity_y = left * c.speed * along_x
            behaviour = CROSSWIND
    return (
        Action(velocity_x, velocity_y, heading, behaviour, 0),
        State(side, remembered, smelled, decision, action),
    )
