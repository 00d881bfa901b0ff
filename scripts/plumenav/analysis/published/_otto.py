"""Searches in OTTO's world, compiled: the loop around the functions that the agents decide with.

Loaded by :func:`plumenav.engine.compiling.load_compiled`, which keeps what was compiled.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from plumenav.engine.jit import compiled
from plumenav.engine.philox import philox_block, uniform
from plumenav.models._decision import (
    MOVE_COLUMN,
    MOVE_ROW,
    N_MOVES,
    forbid,
    infotaxis_values,
    learn,
    lowest,
    space_aware_values,
    surprise,
)

# of functions that only others of this file call
between = njit(no_cpython_wrapper=True, no_cfunc_wrapper=True)
TIE_BITS = 1e-10
ALMOST_FOUND = 1e-6
LONGEST = 2000  # steps
LOOPS = 8  # times to and fro

_learn = compiled(learn, inner=True)
_infotaxis_values = compiled(infotaxis_values, inner=True)
_surprise = compiled(surprise, inner=True)
_space_aware_values = compiled(space_aware_values, inner=True)
_forbid = compiled(forbid, inner=True)
_lowest = compiled(lowest, inner=True)


@between
def decide(
    belief: Any,
    surprises: Any,
    planes: Any,
    found: Any,
    space_aware: bool,
    row: int,
    column: int,
    columns: int,
    work: Any,
) -> int:
    """Best move, by the functions of the agents."""
    if space_aware:
        _surprise(belief, surprises)
        _space_aware_values(belief, surprises, planes, row, column, work)
    else:
        _infotaxis_values(belief, planes, found, row, column, work)
    _forbid(work[0], row, column, belief.shape[0], columns, False)
    move: int = _lowest(work[0], TIE_BITS)
    return move


@between
def start(belief: Any, planes: Any, found: Any, hits: int, columns: int) -> None:
    """Belief after a first hit in the middle."""
    rows = belief.shape[0]
    for r in range(rows):
        for j in range(belief.shape[1]):
            belief[r, j] = 1.0 / (rows * columns) if j < columns else 0.0
    _learn(belief, planes, found, hits, rows // 2, columns // 2, rows, columns)


@between
def drawn_hits(chances: Any, chance: float) -> int:
    """Number that a uniform number stands for; the chances need not add up to 1."""
    total = 0.0
    for h in range(chances.shape[0]):
        total += chances[h]
    below = 0.0
    for h in range(chances.shape[0] - 1):
        below += chances[h]
        if chance * total < below:
            return h
    return len(chances) - 1


@njit(cache=True, no_cfunc_wrapper=True)
def walk(
    planes: Any,
    found: Any,
    hits: Any,
    space_aware: bool,
    rows: int,
    columns: int,
    moves: Any,
    beliefs: Any,
) -> tuple[int, int]:
    """Search with hits that are given, the first one before the first move.

    Parameters
    ----------
    hits, moves : ndarray of int, shapes (n + 1,) and (n,)
        `moves` receives what was done.
    beliefs : ndarray, shape (n + 1, rows, stride)
        Receives the beliefs, after each number of hits.

    Returns
    -------
    row, column : int
        Where it ended.
    """
    surprises = np.zeros(beliefs.shape[1:])
    work = np.zeros((5, N_MOVES))
    row = rows // 2
    column = columns // 2
    start(beliefs[0], planes, found, hits[0], columns)
    for i in range(moves.shape[0]):
        move = decide(beliefs[i], surprises, planes, found, space_aware, row, column, columns, work)
        moves[i] = move
        row += MOVE_ROW[move]
        column += MOVE_COLUMN[move]
        # element by element: the message of an assignment that does not fit takes 3 s to compile
        for r in range(rows):
            for j in range(beliefs.shape[2]):
                beliefs[i + 1, r, j] = beliefs[i, r, j]
        _learn(beliefs[i + 1], planes, found, hits[i + 1], row, column, rows, columns)
    return row, column


@between
def search(
    key: Any,
    planes: Any,
    found: Any,
    first_hits: Any,
    space_aware: bool,
    rows: int,
    columns: int,
    stride: int,
) -> tuple[float, float, bool]:
    """One search, whatever the source's place: every step is weighted with the chance to end there.

    Hits are drawn as the searcher expects them, given that it has not found the source.

    Returns
    -------
    time : float
        Sum over steps t of t * (chance to find the source at t).
    found : float
        Chance to have found it.
    stuck : bool
        It went to and fro, or did not end.
    """
    belief = np.zeros((rows, stride))
    surprises = np.zeros((rows, stride))
    work = np.zeros((5, N_MOVES))
    chances = np.zeros(first_hits.shape[0])
    row = rows // 2
    column = columns // 2
    first = drawn_hits(first_hits, uniform(philox_block(key, np.uint64(0), np.uint64(0))[0]))
    start(belief, planes, found, first, columns)
    time = 0.0
    left = 1.0
    before_row = before_column = -1
    back = 0
    for t in range(1, LONGEST):
        move = decide(belief, surprises, planes, found, space_aware, row, column, columns, work)
        next_row = row + MOVE_ROW[move]
        next_column = column + MOVE_COLUMN[move]
        back = back + 1 if next_row == before_row and next_column == before_column else 0
        before_row = row
        before_column = column
        row = next_row
        column = next_column
        here = belief[row, column]
        time += t * left * here
        left *= 1.0 - here
        if left < ALMOST_FOUND:
            return time, 1.0 - left, False
        if back > 2 * LOOPS:
            return time, 1.0 - left, True
        for h in range(chances.shape[0]):
            total = 0.0
            for r in range(rows):
                for j in range(columns):
                    total += belief[r, j] * planes[h, rows + r - row, columns + j - column]
            chances[h] = total
        hits = drawn_hits(chances, uniform(philox_block(key, np.uint64(t), np.uint64(0))[0]))
        _learn(belief, planes, found, hits, row, column, rows, columns)
    return time, 1.0 - left, True


@njit(nogil=True, cache=True, no_cfunc_wrapper=True)
def search_all(
    keys: Any,
    planes: Any,
    found: Any,
    first_hits: Any,
    space_aware: bool,
    rows: int,
    columns: int,
    stride: int,
    times: Any,
    ended: Any,
    stuck: Any,
) -> None:
    """:func:`search` for every key; the last three receive the results."""
    for i in range(keys.shape[0]):
        times[i], ended[i], stuck[i] = search(
            keys[i], planes, found, first_hits, space_aware, rows, columns, stride
        )
