"""Rows of agents, side by side, into columns of a table: one agent's rows after another's."""

from __future__ import annotations

from typing import Any

from numba import njit


@njit(nogil=True, cache=True)
def pack(
    rows: Any,
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
    rows : settings.Rows
    simulations : ndarray, shape (n_agents,)
    dt_s : float
    simulation, step, frame, x, y, heading, odor, behaviour, time_s : ndarray, shape (rows,)
    states : ndarray, shape (variables, rows)
    """
    place = 0
    for i in range(rows.filled.shape[0]):
        n = rows.filled[i]
        # a loop per column: each is a plain copy
        for r in range(n):
            simulation[place + r] = simulations[i]
        for r in range(n):
            step[place + r] = rows.step[i, r]
            time_s[place + r] = rows.step[i, r] * dt_s
        for r in range(n):
            frame[place + r] = rows.frame[i, r]
        for r in range(n):
            x[place + r] = rows.x[i, r]
        for r in range(n):
            y[place + r] = rows.y[i, r]
        for r in range(n):
            heading[place + r] = rows.heading[i, r]
        for r in range(n):
            odor[place + r] = rows.odor[i, r]
        for r in range(n):
            behaviour[place + r] = rows.behaviour[i, r]
        for v in range(states.shape[0]):
            for r in range(n):
                states[v, place + r] = rows.state[i, r, v]
        place += n
