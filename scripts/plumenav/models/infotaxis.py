"""Infotaxis: go where the expected gain of information about the source's place is largest.

The searcher holds a belief about where the source is, updates it with the hits that it counts, and
takes the step after which the expected entropy of its belief is lowest (Vergassola et al. 2007).
Grid, hits and detection model: models/_belief.py. Specification of one step: docs/conventions.md.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from plumenav.models import _belief
from plumenav.models._belief import act, attend, cell_of, choose, on_grid, update
from plumenav.models._contract import Action, Observation, Surroundings
from plumenav.models._decision import N_MOVES, infotaxis_planes, infotaxis_values

CITATION = (
    "Vergassola M, Villermaux E, Shraiman BI (2007) 'Infotaxis' as a strategy for searching "
    "without gradients. Nature 445:406-409"
)
FAMILY = _belief.FAMILY
PRIVILEGED = _belief.PRIVILEGED
DETECTION = _belief.DETECTION
PUBLICATION_DT_S = _belief.PUBLICATION_DT_S
COST = _belief.COST
SENSOR = _belief.SENSOR
NEEDS_WIND = False
BEHAVIOURS = _belief.BEHAVIOURS
WORK = (3, N_MOVES)


class Params(_belief.BeliefParams):
    """Parameters of infotaxis."""


PRESETS: dict[str, dict[str, Any]] = {
    "vergassola_2007": {},
    "vergassola_2007_corrected": {"fidelity": "corrected"},
    "loisy_eloy_2022": _belief.LOISY_ELOY_2022,
}
Constants = _belief.Constants
State = _belief.State
Noise = _belief.Noise
Tables = _belief.Tables
mirrored = _belief.mirrored
broken_symmetries = _belief.broken_symmetries
problem = _belief.problem
constants = _belief.constants
initial_state = _belief.initial_state
initial_behaviour = _belief.initial_behaviour


def tables(
    params: Params, constants: _belief.Constants, surroundings: Surroundings
) -> _belief.Tables:
    """Chances of hits, and their information."""
    geometry = _belief.geometry(params, surroundings)
    chances = _belief.chances(params, surroundings, geometry)
    planes = infotaxis_planes(chances)
    return _belief.make_tables(planes, len(chances), geometry, surroundings)


def initial_memory(tables: _belief.Tables) -> np.ndarray:
    """Room for the belief, and for working out a decision."""
    return np.zeros(tables.rows * tables.stride + WORK[0] * WORK[1])


def step(
    observation: Observation,
    state: _belief.State,
    c: _belief.Constants,
    noise: _belief.Noise,
    dt_s: float,
    memory: Any,
    tables: _belief.Tables,
) -> tuple[Action, _belief.State]:
    """Listen; at the end of an interval learn, decide, and set out."""
    shape = (tables.rows, tables.stride)
    n = tables.rows * tables.stride
    belief = memory[:n].reshape(shape)
    work = memory[n:].reshape(WORK)
    state = attend(observation, state, c, belief, tables)
    if state.listened >= tables.steps:
        row = cell_of(observation.y_mm, state.first_y_mm, tables.cell_mm)
        column = cell_of(observation.x_mm, state.first_x_mm, tables.cell_mm)
        again = 0
        if on_grid(row, column, state):
            again = update(row, column, state, belief, tables)
            infotaxis_values(belief, tables.planes, tables.found, row, column, work)
        state = choose(observation, state, c, noise, row, column, work[0], again, tables, dt_s)
    return act(observation, state), state
