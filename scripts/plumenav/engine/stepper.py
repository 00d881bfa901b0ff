"""One step of a model for the agents in the lanes.

This file is real code for one model, and the template of all others: compiling.py writes a copy in
which the import marked [model] and the parts marked [generated] are those of the wanted model. The
kernel calls `decide` by its address and knows nothing of the model.
"""

from __future__ import annotations

import numpy as np
from numba import carray

from plumenav.engine.calling import pointer
from plumenav.engine.jit import compiled
from plumenav.engine.layout import (
    AGENT,
    BEHAVIOUR,
    CLIPPED,
    HEADING,
    LANE_COUNTS,
    LANE_NUMBERS,
    N_ADDRESSES,
    NEW_HEADING,
    ODOR,
    ODOR_LEFT,
    ODOR_RIGHT,
    STEP,
    VELOCITY_X,
    VELOCITY_Y,
    WIND_X,
    WIND_Y,
    X,
    Y,
)
from plumenav.engine.philox import philox_block, uniform
from plumenav.models import correlated_random_walk as model  # [model]
from plumenav.models._contract import Observation, declared

model_step = compiled(model.step, inlined=True, inner=True)
bilateral = declared(model, "BILATERAL")


def decide(n: int, arguments: int) -> None:
    """Let the agents in the first n lanes take a step.

    Parameters
    ----------
    n : int
    arguments : int
        Address of N_ADDRESSES int64 numbers: addresses of the numbers and counts of the lanes;
        number of agents; addresses of their keys, states and memories, numbers of a memory;
        addresses of the real and of the whole numbers that constants and tables are made of.
    """
    given = carray(pointer(arguments), N_ADDRESSES, np.int64)
    numbers = carray(pointer(given[0]), LANE_NUMBERS, np.float64)
    counts = carray(pointer(given[1]), LANE_COUNTS, np.int64)
    n_agents = given[2]
    keys = carray(pointer(given[3]), n_agents, np.uint64)
    # [generated]
    states = carray(pointer(given[4]), (n_agents, 1), np.float64)
    reals = carray(pointer(given[7]), 4, np.float64)
    constants = model.Constants(reals[2], reals[3])
    # [/generated]
    threshold = reals[0]
    dt_s = reals[1]
    for lane in range(n):
        agent = counts[AGENT + lane]
        step = counts[STEP + lane]
        odor = numbers[ODOR + lane]
        observation = Observation(
            odor,
            numbers[ODOR_LEFT + lane] if bilateral else odor,
            numbers[ODOR_RIGHT + lane] if bilateral else odor,
            threshold,
            numbers[WIND_X + lane],
            numbers[WIND_Y + lane],
            numbers[HEADING + lane],
            step * dt_s,
            numbers[X + lane],
            numbers[Y + lane],
        )
        key = keys[agent]
        # [generated]
        state = model.State(states[agent, 0])
        u0, u1, _, _ = philox_block(key, np.uint64(step), np.uint64(0))
        noise = model.Noise(uniform(u0), uniform(u1))
        action, state = model_step(observation, state, constants, noise, dt_s)
        states[agent, 0] = state[0]
        # [/generated]
        numbers[VELOCITY_X + lane] = action.velocity_x_mm_s
        numbers[VELOCITY_Y + lane] = action.velocity_y_mm_s
        numbers[NEW_HEADING + lane] = action.heading_rad
        counts[BEHAVIOUR + lane] = action.behaviour
        if action.clipped:
            counts[CLIPPED + lane] += action.clipped
