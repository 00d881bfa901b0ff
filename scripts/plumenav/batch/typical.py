"""What jobs usually cost, where no history says it: batch/typical.json, made by measuring.

    python -m plumenav.batch.typical --grid --run results/demo

measures simulate jobs of many sizes, each in a process of its own, finds how memory follows from
what is held, and takes time and memory of all other rules from the records of a finished run.
"""

from __future__ import annotations

import argparse
import itertools
import json
import math
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from plumenav import registry
from plumenav.batch.memory import Shape, Weights, Work, expected_peak_mb, held, weights_of, work_of
from plumenav.models._contract import declared

FILE = Path(__file__).with_name("typical.json")
RECORD_S = 0.1  # rows of a trial
RATE_HZ = 15.0  # its movie
MOVIES = (
    (60, 40, 60, 2),
    (600, 216, 406, 1),
    (600, 216, 406, 2),
    (150, 480, 640, 4),
    (60, 1080, 1920, 2),
)
AGENTS = ((10, 500), (300, 3000), (4000, 1000))  # and steps
MODELS = ("on_off", "tropotaxis", "infotaxis")
KEPT = ((600, 216, 406, 2, 32.0), (1800, 216, 406, 2, 256.0), (60, 1080, 1920, 2, 128.0))


class Trial(NamedTuple):
    """A simulate job that is to be measured.

    Attributes
    ----------
    shape : Shape
    keep_mb : float
        Decoded blocks that it keeps.
    agents_per_pass : int
        0: all.
    """

    shape: Shape
    keep_mb: float = 0.0
    agents_per_pass: int = 0


def read() -> dict[str, Any]:
    """What batch/typical.json says: `simulate` {weights}, `rules` {rule: {wall_s, peak_mb}}."""
    content: dict[str, Any] = json.loads(FILE.read_text(encoding="utf-8"))
    return content


def grid() -> Iterator[Trial]:
    """Movie sizes x agents x models, and a few that keep blocks or move fewer agents at a time."""
    for model, movie, (n, steps) in itertools.product(MODELS, MOVIES, AGENTS):
        yield Trial(Shape(*movie, n, steps, model))
    for *movie, keep_mb in KEPT:
        yield Trial(Shape(*(int(n) for n in movie), 300, 3000, "on_off"), keep_mb)
    for movie in MOVIES[:2]:
        yield Trial(Shape(*movie, 4000, 3000, "on_off"), agents_per_pass=500)


def work(shape: Shape) -> Work:
    """Rows and cost of a trial."""
    model = registry.get("model", shape.model)
    cost = declared(model, "COST")
    return work_of(shape, model.PUBLICATION_DT_S, RECORD_S, RATE_HZ, cost)


def expected_mb(trial: Trial, weights: Weights | None = None) -> float:
    """Peak that a trial is expected to have, MB; by the weights of typical.json if not given."""
    weights = weights or weights_of(read())
    shape = trial.shape
    return expected_peak_mb(shape, work(shape), trial.keep_mb, trial.agents_per_pass, weights)


def measured_mb(trial: Trial, folder: Path) -> float:
    """Peak of a trial, MB, with its kernel compiled before."""
    from plumenav.batch.trial import run

    for _ in range(2):
        usage = run(
            folder, trial.shape, block_mb=trial.keep_mb, agents_per_pass=trial.agents_per_pass
        )
        if not usage["details"]["kernel"]["cache_misses"]:
            break
    return float(usage["max_rss_mb"])


def fitted(trials: Sequence[Trial], peaks_mb: Sequence[float]) -> Weights:
    """Weights with which the expected peaks are nearest to the measured ones, relative to them."""
    import numpy as np
    from scipy.optimize import nnls

    each = [held(t.shape, work(t.shape), t.keep_mb, t.agents_per_pass) for t in trials]
    relative = np.array(each) / np.array(peaks_mb)[:, None]
    found, _ = nnls(relative, np.ones(len(each)))
    return Weights(*(round(float(weight), 2) for weight in found))


def simulate_section(folder: Path) -> dict[str, Any]:
    """Measure the grid; weights, and how far they are off at most."""
    trials = list(grid())
    peaks = [measured_mb(trial, folder) for trial in trials]
    weights = fitted(trials, peaks)
    errors = [expected_mb(t, weights) / mb - 1 for t, mb in zip(trials, peaks, strict=True)]
    return {
        "weights": weights._asdict(),
        "trials": len(trials),
        "largest_error": round(max(abs(error) for error in errors), 3),
    }


def rules_section(files: Sequence[Path]) -> dict[str, dict[str, float]]:
    """Largest memory and longest time of the jobs of each rule of a finished run."""
    rules: dict[str, dict[str, float]] = {}
    for file in files:
        job = json.loads(file.read_text(encoding="utf-8"))
        own = rules.setdefault(job["rule"], {"wall_s": 0.0, "peak_mb": 0.0})
        own["wall_s"] = max(own["wall_s"], round(job["wall_s"], 1))
        own["peak_mb"] = max(own["peak_mb"], float(math.ceil(job["max_rss_mb"])))
    return dict(sorted(rules.items()))


def main() -> None:
    """Write batch/typical.json."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--grid", action="store_true", help="measure simulate jobs")
    parser.add_argument("--run", type=Path, help="results/<run> of a finished run")
    args = parser.parse_args()
    content = read() if FILE.exists() else {}
    if args.grid:
        with tempfile.TemporaryDirectory() as folder:
            content["simulate"] = simulate_section(Path(folder))
    if args.run:
        records = sorted((args.run / "performance" / "jobs").rglob("*.json"))
        records += sorted((args.run / "recordings").glob("*.usage.json"))
        content["rules"] = rules_section(records)
    FILE.write_text(json.dumps(content, indent=1, sort_keys=True) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
