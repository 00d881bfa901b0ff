"""Decisions of infotaxis per second, and against the same rule written with vectorized NumPy.

One belief of 53 x 53 cells, 4 numbers of hits, 4 moves: the size at which OTTO itself was timed.
Both work out the expected entropy in full, for every decision anew, at places all over the grid.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from plumenav.performance.benchmark._contract import Judged, Ratio, Scope, Seen, Timed, Variant

CELLS = 53
LENGTH, INTENSITY, HIT_VALUES = 3.0, 2.0, 4
# OTTO (Loisy & Eloy 2022, authors' code) on a 2-core machine, the same belief and hits
OTTO_DECISIONS_S = 1502.0
# whole arrays in NumPy are nearly three times as fast as OTTO, of which 40 times is the goal
NUMPY_TIMES = 15.0
DECISIONS = {"ours": 60_000, "space_aware": 15_000, "update": 60_000, "numpy": 1_000}


def repetitions(scope: Scope) -> int:
    """How often each is measured."""
    return 7 if scope.full else 1 if scope.quick else 4


def prepare(scope: Scope) -> list[Variant]:
    """Ours, with its update, its relative, and NumPy's."""
    return [
        Variant(name, f"infotaxis:{name}", {"decisions": decisions})
        for name, decisions in DECISIONS.items()
    ]


def judge(seen: Seen) -> Judged:
    """Decisions per second of one core, and ratios."""
    rate = {name: DECISIONS[name] / seen.values(name, "cpu_s") for name in DECISIONS}
    return {
        "infotaxis_vs_otto": Ratio(rate["ours"] / OTTO_DECISIONS_S, "1"),
        "infotaxis_vs_numpy": Ratio(rate["ours"] / rate["numpy"], "1", NUMPY_TIMES, "at least"),
        "infotaxis_decisions_s": Ratio(rate["ours"], "1/s"),
        "infotaxis_update_and_decision_s": Ratio(rate["update"], "1/s"),
        "space_aware_decisions_s": Ratio(rate["space_aware"], "1/s"),
        "infotaxis_numpy_decisions_s": Ratio(rate["numpy"], "1/s"),
    }


# ------------------------------------------------------------------------------------- tasks


def world() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A belief, chances of hits by offset, and places of the searcher.

    Returns
    -------
    belief : ndarray, shape (CELLS, stride)
    planes : ndarray, shape (HIT_VALUES, *plane)
    places : ndarray of int, shape (1000, 2)
        Rows and columns, none at an edge: all four moves are open.
    """
    from scipy.special import k0

    from plumenav.models._decision import likelihood, offsets, stride_of

    distance = np.hypot(*offsets(CELLS, CELLS))
    own = distance == 0.0
    mean = INTENSITY * k0(np.where(own, 1.0, distance) / LENGTH) / np.log(2 * LENGTH)
    generator = np.random.Generator(np.random.Philox(key=53))
    belief = np.zeros((CELLS, stride_of(CELLS)))
    belief[:, :CELLS] = generator.dirichlet(np.ones(CELLS**2)).reshape(CELLS, CELLS)
    places = generator.integers(1, CELLS - 1, (1000, 2))
    return belief, likelihood(mean, HIT_VALUES, own), places


def compiled_rule(name: str, decisions: int, update: bool = False) -> Timed:
    """Decisions by the functions of a model."""
    from numba import njit

    from plumenav.engine.jit import compiled
    from plumenav.models import _decision

    belief, chances, places = world()
    found = np.zeros((1, 2), np.int64)
    lowest, learn = compiled(_decision.lowest), compiled(_decision.learn)
    surprise = compiled(_decision.surprise)
    infotaxis, space_aware = (
        compiled(_decision.infotaxis_values),
        compiled(_decision.space_aware_values),
    )
    offsets = np.abs(np.array(_decision.offsets(CELLS, CELLS)))
    aware = name == "space_aware"
    planes = (
        _decision.space_aware_planes(chances, offsets.sum(axis=0))
        if aware
        else _decision.infotaxis_planes(chances)
    )

    @njit(nogil=True)
    def run(n: int, belief: Any, surprises: Any, planes: Any, work: Any) -> int:
        total = 0
        for i in range(n):
            row, column = places[i % 1000]
            if update:
                # no hit, then one and so on: a belief that goes on being spread out
                hits = 1 if i % 8 == 7 else 0
                learn(belief, planes, found, hits, row, column, CELLS, CELLS)
            if aware:
                surprise(belief, surprises)
                space_aware(belief, surprises, planes, row, column, work)
            else:
                infotaxis(belief, planes, found, row, column, work)
            work[0, 4] = np.inf
            total += lowest(work[0], 1e-10)
        return total

    surprises, work = np.zeros_like(belief), np.zeros((5, 5))
    run(1, belief.copy(), surprises, planes, work)

    def timed() -> dict[str, float]:
        return {"moves": float(run(decisions, belief, surprises, planes, work))}

    return timed


def ours(decisions: int) -> Timed:
    """Task: infotaxis as the agents do it."""
    return compiled_rule("infotaxis", decisions)


def update(decisions: int) -> Timed:
    """Task: the same with an update of the belief before each decision."""
    return compiled_rule("infotaxis", decisions, update=True)


def space_aware(decisions: int) -> Timed:
    """Task: space-aware infotaxis as the agents do it."""
    return compiled_rule("space_aware", decisions)


def numpy_values(belief: np.ndarray, chances: np.ndarray, row: int, column: int) -> np.ndarray:
    """Expected change of entropy of the four moves, straightforward: whole arrays, all logarithms.

    Parameters
    ----------
    belief : ndarray, shape (CELLS, CELLS)
    chances : ndarray, shape (HIT_VALUES, *plane)
    row, column : int
    """
    before = -np.sum(belief * np.log2(belief, where=belief > 0, out=np.zeros_like(belief)))
    values = []
    for r, c in ((row, column - 1), (row, column + 1), (row - 1, column), (row + 1, column)):
        seen = chances[:, CELLS - r : 2 * CELLS - r, CELLS - c : 2 * CELLS - c]
        joint = seen * belief
        weight = joint.sum(axis=(1, 2))
        posterior = joint / weight[:, None, None]
        logs = np.log2(posterior, where=posterior > 0, out=np.zeros_like(posterior))
        values.append(-np.sum(weight * (posterior * logs).sum(axis=(1, 2))) - before)
    return np.array(values)


def numpy(decisions: int) -> Timed:
    """Task: the same decisions by :func:`numpy_values`."""
    padded, chances, places = world()
    belief = np.ascontiguousarray(padded[:, :CELLS])

    def timed() -> dict[str, float]:
        total = 0
        for i in range(decisions):
            row, column = places[i % 1000].tolist()
            values = numpy_values(belief, chances, row, column)
            total += int(np.argmax(values <= values.min() + 1e-10))
        return {"moves": float(total)}

    return timed
