"""Belief-based searchers in the world of OTTO, by the functions that the agents decide with.

OTTO (Loisy & Eloy 2022, Proc. R. Soc. A 478:20220118, and its authors' code) is a square of N cells
a side with the searcher in the middle, which has just been hit. Odour spreads without wind: in a
step, hits are Poisson distributed, with a mean that depends on the distance d in cells, on
L = length / cell and on I = emission * interval. Time is counted in steps.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from plumenav.analysis.published._contract import Measurement
from plumenav.engine.compiling import load_compiled
from plumenav.models._belief import otto_hit_values
from plumenav.models._decision import (
    infotaxis_planes,
    likelihood,
    offsets,
    space_aware_planes,
    stride_of,
)
from plumenav.rng import noise_key

if TYPE_CHECKING:
    # read as text and loaded by load_compiled; said here so that fingerprints of code follow it
    from plumenav.analysis.published import _otto  # noqa: F401

OTTO = Path(__file__).with_name("_otto.py")
OUTSIDE = 1e-3  # belief outside of the grid after a first hit, at most
FAR = 400  # shells beyond which nothing is left, at L <= 2
PRESCRIBED_HITS = (0, 0, 0, 1, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0)
EPISODES = 5000


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
    moves = np.zeros(len(hits), np.int64)
    beliefs = np.zeros((len(hits) + 1, world.rows, stride_of(world.columns)))
    row, column = load_compiled(OTTO).walk(
        world.planes,
        world.found,
        np.array([1, *hits], np.int64),
        space_aware,
        world.rows,
        world.columns,
        moves,
        beliefs,
    )
    bits = [entropy_bits(belief) for belief in beliefs]
    return Walk(bits[0], moves.tolist(), bits[1:], (int(column), int(row)))


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
    load_compiled(OTTO).search_all(
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


WORLDS = {"1d_l2_i2": (1, 2.0, 2.0), "2d_l1_i2": (2, 1.0, 2.0), "2d_l2_i2": (2, 2.0, 2.0)}
RULES = {"infotaxis": False, "space_aware_infotaxis": True}
# of the vectors in algorithms, those with published numbers
WALKS = ("2d_l1_i2", "1d_l2_i2")
ENTROPIES = ("2d_l1_i2",)  # and of these, those whose entropies are published, too


def measurements(folder: Path, models: Collection[str]) -> list[Measurement]:
    """Everything about the belief-based searchers that has a published value.

    Keys: `otto.WORLD.grid`, `.hit_values`, `.mean_hits_D` (D = 1 .. 5 cells), `.first_bits`;
    `RULE.WORLD.move_K`, `.bits_K` (K = 1 .. 15, after the prescribed hits; bits in 2-D only),
    `.end_x`, `.end_y`; and
    `RULE.2d_l1_i2.search_time`, in steps.

    Parameters
    ----------
    folder : Path
        For files of the checks; not used by these.
    models : collection of str
        Of RULES; what is published of OTTO's world itself goes with infotaxis.
    """
    found: list[Measurement] = []

    def exact(key: str, ours: float) -> None:
        found.append(Measurement(key, float(ours), None, 1))

    for name, (dimensions, length, intensity) in WORLDS.items() if "infotaxis" in models else ():
        world = make_world(dimensions, length, intensity, False)
        exact(f"otto.{name}.grid", world.columns)
        exact(f"otto.{name}.hit_values", world.hit_values)
        means = mean_hits(np.arange(1.0, 6.0), dimensions, length, intensity)
        for d, mean in enumerate(means.tolist(), 1):
            exact(f"otto.{name}.mean_hits_{d}", mean)
        exact(f"otto.{name}.first_bits", prescribed_walk(world, False, ()).first_bits)
    for rule, space_aware in RULES.items():
        if rule not in models:
            continue
        for name in WALKS:
            walk = prescribed_walk(make_world(*WORLDS[name], space_aware), space_aware)
            for k, (move, bits) in enumerate(zip(walk.moves, walk.bits, strict=True), 1):
                exact(f"{rule}.{name}.move_{k}", move)
                if name in ENTROPIES:
                    exact(f"{rule}.{name}.bits_{k}", bits)
            exact(f"{rule}.{name}.end_x", walk.end[0])
            exact(f"{rule}.{name}.end_y", walk.end[1])
        time = search_time(make_world(*WORLDS["2d_l1_i2"], space_aware), space_aware)
        key = f"{rule}.2d_l1_i2.search_time"
        found.append(Measurement(key, time.mean, time.standard_error, time.n))
    return found
