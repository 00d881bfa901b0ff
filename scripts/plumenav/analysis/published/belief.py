"""The belief-based searchers in the world of OTTO, by the very functions that the agents decide with.

OTTO (Loisy & Eloy 2022, Proc. R. Soc. A 478:20220118, and its authors' code) is a square of N cells
a side with the searcher in the middle, which has just been hit. Odour spreads without wind: in a
step, hits are Poisson distributed, with a mean that depends on the distance d in cells, on
L = length / cell and on I = emission * interval. Time is counted in steps.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numba import njit

from plumenav.analysis.published._contract import Measurement
from plumenav.engine.jit import compiled
from plumenav.engine.philox import philox_block, uniform
from plumenav.models._belief import otto_hit_values
from plumenav.models._decision import (
    MOVE_COLUMN,
    MOVE_ROW,
    N_MOVES,
    forbid,
    infotaxis_planes,
    infotaxis_values,
    learn,
    likelihood,
    lowest,
    offsets,
    space_aware_planes,
    space_aware_values,
    stride_of,
    surprise,
)
from plumenav.rng import noise_key

TIE_BITS = 1e-10
OUTSIDE = 1e-3  # belief outside of the grid after a first hit, at most
FAR = 400  # shells beyond which nothing is left, at L <= 2
PRESCRIBED_HITS = (0, 0, 0, 1, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0)
EPISODES = 5000
ALMOST_FOUND = 1e-6
LONGEST = 2000
LOOPS = 8

_learn = compiled(learn)
_infotaxis_values = compiled(infotaxis_values)
_surprise = compiled(surprise)
_space_aware_values = compiled(space_aware_values)
_forbid = compiled(forbid)
_lowest = compiled(lowest)


def mean_hits(distance: np.ndarray, dimensions: int, length: float, intensity: float) -> np.ndarray:
    """Mean number of hits in a step, distance > 0 in cells."""
    from scipy.special import k0

    if dimensions == 1:
        factor = intensity * 2 * length / (2 * length - 1)
        return np.asarray(factor * np.exp(-distance / length))
    return np.asarray(intensity * k0(distance / length) / math.log(2 * length))


def hit_chances(dimensions: int, length: float, intensity: float) -> np.ndarray:
    """P(h hits at distance d) * volume of the shell d = 1, 2, ..., shape (hit_values, FAR)."""
    d = np.arange(1.0, FAR + 1)
    mean = mean_hits(d, dimensions, length, intensity)
    chances = likelihood(mean, otto_hit_values(float(mean[0])), np.zeros(FAR, bool))
    return np.asarray(chances * d ** (dimensions - 1))


def grid_size(dimensions: int, length: float, intensity: float) -> int:
    """Smallest odd N for which, whatever the first hit, the source is hardly outside."""
    hit = hit_chances(dimensions, length, intensity)[1:]
    outside = 1.0 - np.cumsum(hit, axis=1) / hit.sum(axis=1, keepdims=True)
    radius = 1 + int(np.argmax((outside < OUTSIDE).all(axis=0)))
    return 2 * radius + 1


class World(NamedTuple):
    """OTTO's world, for one of the rules.

    Attributes
    ----------
    rows, columns : int
    hit_values : int
    planes : ndarray
        What the rule looks up.
    found : ndarray, shape (1, 2)
        The searcher's own cell.
    first_hits : ndarray, shape (hit_values,)
        Chances of the first hit; 0 for no hit.
    """

    rows: int
    columns: int
    hit_values: int
    planes: np.ndarray
    found: np.ndarray
    first_hits: np.ndarray


def make_world(dimensions: int, length: float, intensity: float, space_aware: bool) -> World:
    """World in one or two dimensions (one: along x)."""
    columns = grid_size(dimensions, length, intensity)
    rows = columns if dimensions == 2 else 1
    dy, dx = offsets(rows, columns)
    distance = np.hypot(dy, dx)
    own = distance == 0.0
    mean = mean_hits(np.where(own, 1.0, distance), dimensions, length, intensity)
    first_hits = hit_chances(dimensions, length, intensity).sum(axis=1)
    first_hits[0] = 0.0
    chances = likelihood(mean, len(first_hits), own)
    if space_aware:
        planes = space_aware_planes(chances, np.abs(dy) + np.abs(dx))
    else:
        planes = infotaxis_planes(chances)
    return World(
        rows,
        columns,
        len(first_hits),
        planes,
        np.zeros((1, 2), np.int64),
        first_hits / first_hits.sum(),
    )


@njit
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
    return _lowest(work[0], TIE_BITS)


@njit
def start(belief: Any, planes: Any, found: Any, hits: int, columns: int) -> None:
    """Belief after a first hit in the middle."""
    rows = belief.shape[0]
    for r in range(rows):
        for j in range(belief.shape[1]):
            belief[r, j] = 1.0 / (rows * columns) if j < columns else 0.0
    _learn(belief, planes, found, hits, rows // 2, columns // 2, rows, columns)


def entropy_bits(belief: np.ndarray) -> float:
    """Entropy of a belief."""
    p = belief[belief > 0.0]
    return float(-(p * np.log2(p)).sum())


class Walk(NamedTuple):
    """A search with prescribed hits.

    Attributes
    ----------
    first_bits : float
        Entropy after the first hit.
    moves : list of int
    bits : list of float
        Entropy after each move and its hits.
    end : tuple of int
        (column, row).
    """

    first_bits: float
    moves: list[int]
    bits: list[float]
    end: tuple[int, int]


def prescribed_walk(world: World, space_aware: bool, hits: Sequence[int] = PRESCRIBED_HITS) -> Walk:
    """Search after one first hit, with the hits that are given."""
    belief = np.zeros((world.rows, stride_of(world.columns)))
    surprises, work = np.zeros_like(belief), np.zeros((5, N_MOVES))
    row, column = world.rows // 2, world.columns // 2
    start(belief, world.planes, world.found, 1, world.columns)
    first = entropy_bits(belief)
    moves, bits = [], []
    for h in hits:
        move = decide(
            belief,
            surprises,
            world.planes,
            world.found,
            space_aware,
            row,
            column,
            world.columns,
            work,
        )
        row, column = row + MOVE_ROW[move], column + MOVE_COLUMN[move]
        _learn(belief, world.planes, world.found, h, row, column, world.rows, world.columns)
        moves.append(int(move))
        bits.append(entropy_bits(belief))
    return Walk(first, moves, bits, (column, row))


@njit
def drawn_hits(chances: Any, chance: float) -> int:
    """Number that a uniform number stands for, of chances that add up to `total`."""
    total = 0.0
    for h in range(chances.shape[0]):
        total += chances[h]
    below = 0.0
    for h in range(chances.shape[0] - 1):
        below += chances[h]
        if chance * total < below:
            return h
    return chances.shape[0] - 1


@njit(nogil=True)
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


@njit(nogil=True)
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


class SearchTime(NamedTuple):
    """Mean search time in steps, its standard error, chance not to find, and episodes."""

    mean: float
    standard_error: float
    not_found: float
    n: int


def search_time(world: World, space_aware: bool, episodes: int = EPISODES) -> SearchTime:
    """Mean over episodes of the expected time to the source, given that it is found."""
    keys = np.array([noise_key("otto", space_aware, i) for i in range(episodes)], np.uint64)
    times, ended = np.zeros(episodes), np.zeros(episodes)
    stuck = np.zeros(episodes, np.bool_)
    search_all(
        keys,
        world.planes,
        world.found,
        world.first_hits,
        space_aware,
        world.rows,
        world.columns,
        stride_of(world.columns),
        times,
        ended,
        stuck,
    )
    mean = float(times.sum() / ended.sum())
    # of a ratio of sums, to first order
    spread = (times - mean * ended) / ended.mean()
    error = float(spread.std(ddof=1) / math.sqrt(episodes))
    return SearchTime(mean, error, float(1.0 - ended.mean()), episodes)
