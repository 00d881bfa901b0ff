"""What the planner expects a simulate job to need of memory, against what it is seen to need.

A grid of movies, numbers of agents and models; other ones than those from which the planner's
weights were found. It is told nothing of earlier runs: what it learns from history is not tested
here.
"""

from __future__ import annotations

from itertools import product
from pathlib import Path
from typing import Any

import numpy as np

from plumenav.batch import typical
from plumenav.batch.memory import Shape
from plumenav.performance.benchmark._contract import Judged, Ratio, Scope, Seen, Timed, Variant

REQUIRED = 0.20
STEPS = 2_000
# frames, height, width, bytes of a pixel
MOVIES = {
    False: ((300, 108, 203, 2), (300, 406, 216, 2), (200, 600, 1024, 1)),
    True: ((60, 108, 203, 2), (60, 406, 216, 2)),
}
SIMULATIONS = {False: (10, 500), True: (10, 100)}
MODELS = {False: ("on_off", "walk_stop_turn", "infotaxis"), True: ("on_off",)}


def repetitions(scope: Scope) -> int:
    """How often each job is run: memory hardly varies."""
    return 3 if scope.full else 1


def prepare(scope: Scope) -> list[Variant]:
    """A job of each shape."""
    folder = scope.folder / "prediction"
    quick = scope.quick
    return [
        Variant(
            f"{model}.{simulations}.{'x'.join(map(str, movie))}",
            "prediction:job",
            {
                "folder": str(folder),
                "shape": [*movie, simulations, STEPS, model],
            },
        )
        for movie, simulations, model in product(MOVIES[quick], SIMULATIONS[quick], MODELS[quick])
    ]


def judge(seen: Seen) -> Judged:
    """The largest error of the grid is judged; the median one is shown, and the largest excess."""
    errors = np.array(
        [seen.values(v, "expected_mb") / seen.values(v, "measured_mb") - 1.0 for v in seen.variants]
    )
    return {
        "prediction_error": Ratio(np.abs(errors).max(axis=0), "1", REQUIRED),
        "prediction_error.median": Ratio(np.median(np.abs(errors), axis=0)),
        # measured above expected: the kind that a declaration must not have
        "prediction_error.too_low": Ratio(np.maximum(-errors, 0.0).max(axis=0)),
    }


# ------------------------------------------------------------------------------------- tasks


def job(folder: str, shape: list[Any]) -> Timed:
    """Task: a simulate job of this shape, and what was expected of it."""
    trial = typical.Trial(Shape(*shape))

    def run() -> dict[str, float]:
        return {
            "expected_mb": typical.expected_mb(trial),
            "measured_mb": typical.measured_mb(trial, Path(folder)),
        }

    return run
