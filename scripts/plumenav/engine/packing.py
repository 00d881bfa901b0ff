"""Rows of agents, side by side, into columns of a table: one agent's rows after another's."""

from __future__ import annotations

from typing import Any

from numba import njit


@njit(nogil=True, cache=True)
def pack(
    codes: Any,
    numbers: Any,
    filled: Any,
    simulations: Any,
    dt_s: float,
    simulation: Any,
    step: Any,
    frame: Any,
    x: Any,
    y: Any,
    heading: Any,
    odor: Any,
    behaviour: Any,
    time_s: Any,
    states: Any,
) -> None:
    """Fill columns.

    Parameters
    ----------
    codes, numbers : ndarray
        Of layout.Rows.
    filled, simulations : ndarray, shape (n_agents,)
        Rows of each agent, and its number.
    dt_s : float
    simulation, step, frame, x, y, heading, odor, behaviour, time_s : ndarray, shape (rows,)
    states : ndarray, shape (variables, rows)
    """
    place = 0
    for i in range(filled.shape[0]):
        n = filled[i]
        for r in range(n):
            simulation[place + r] = simulations[i]
        for r in range(n):
            step[place + r] = codes[i, r, 0]
            frame[place + r] = codes[i, r, 1]
            behaviour[place + r] = codes[i, r, 2]
            time_s[place + r] = codes[i, r, 0] * dt_s
        for r in range(n):
            x[place + r] = numbers[i, r, 0]
            y[place + r] = numbers[i, r, 1]
            heading[place + r] = numbers[i, r, 2]
            odor[place + r] = numbers[i, r, 3]
        for v in range(states.shape[0]):
            for r in range(n):
                states[v, place + r] = numbers[i, r, 4 + v]
        place += n
