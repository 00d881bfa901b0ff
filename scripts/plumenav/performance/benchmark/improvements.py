"""Is one way of working better than another? Paired log ratios, Holm, and what to recommend.

Measurements of one repetition lie next to each other in time, so that a way and the baseline are
compared repetition by repetition. Ratios of times are multiplicative: their logarithms are
averaged, Student's t gives interval and p.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from plumenav.performance.regression import holm

LEVEL = 0.95
WORTH = 0.10  # an improvement by less is not worth a setting
MAX_P = 0.05
SHARE = 0.75  # of cases, more than which must improve

Row = dict[str, Any]


def log_ratio(baseline: np.ndarray, cell: np.ndarray) -> tuple[float, float, float, float]:
    """Mean of log(baseline / cell), its 95 % interval, and p that it is zero (two-sided).

    Parameters
    ----------
    baseline, cell : ndarray, shape (repetitions,)
        Positive; of the same repetitions.

    Raises
    ------
    ValueError
        With fewer than two repetitions, or unequal numbers.

    Examples
    --------
    >>> mean, low, high, p = log_ratio(np.array([2.0, 2.0, 2.0]), np.array([1.0, 1.1, 0.9]))
    >>> round(mean, 3), round(low, 3), round(high, 3), round(p, 4)
    (0.696, 0.447, 0.946, 0.0069)
    """
    if len(baseline) != len(cell) or len(cell) < 2:
        raise ValueError(f"{len(baseline)} and {len(cell)} repetitions do not make pairs")
    from scipy import stats

    logs = np.log(np.asarray(baseline, np.float64) / np.asarray(cell, np.float64))
    mean, n = float(logs.mean()), len(logs)
    error = float(logs.std(ddof=1)) / math.sqrt(n)
    if error == 0.0:
        return mean, mean, mean, 1.0 if mean == 0.0 else 0.0
    half = float(stats.t.ppf(0.5 + LEVEL / 2, n - 1)) * error
    p = 2.0 * float(stats.t.sf(abs(mean) / error, n - 1))
    return mean, mean - half, mean + half, p


def saved(log: float) -> float:
    """Share that is saved, of a log ratio baseline / cell: 0.2 is a fifth less."""
    return 1.0 - math.exp(-log)


def gained(log: float) -> float:
    """Share that is gained: 0.25 is a quarter more in the same time."""
    return math.exp(log) - 1.0


def compare(
    baseline: Mapping[str, np.ndarray], cell: Mapping[str, np.ndarray]
) -> dict[str, dict[str, float]]:
    """Improvement of a cell over the baseline.

    Parameters
    ----------
    baseline, cell : mapping
        wall_s and memory_mb, shape (repetitions,) each; the same work in both.

    Returns
    -------
    dict
        {time, throughput, memory: {improvement, ci_low, ci_high, p}}: time and memory saved,
        throughput gained. Time and throughput are one measurement, and share their p.
    """
    mean, low, high, p = log_ratio(baseline["wall_s"], cell["wall_s"])
    memory = log_ratio(baseline["memory_mb"], cell["memory_mb"])
    return {
        "time": _row(saved, mean, low, high, p),
        "throughput": _row(gained, mean, low, high, p),
        "memory": _row(saved, *memory),
    }


def _row(share: Any, mean: float, low: float, high: float, p: float) -> dict[str, float]:
    return {"improvement": share(mean), "ci_low": share(low), "ci_high": share(high), "p": p}


def corrected(rows: Sequence[Row]) -> list[Row]:
    """Rows with `p_holm` in each quantity: corrected over all rows.

    Parameters
    ----------
    rows : sequence of dict
        {..., time, throughput, memory}, as of :func:`compare`.
    """
    result = [dict(row) for row in rows]
    for quantity in ("time", "throughput", "memory"):
        values = holm([row[quantity]["p"] for row in rows])
        for row, p in zip(result, values, strict=True):
            row[quantity] = {**row[quantity], "p_holm": p}
    return result


def is_better(row: Row) -> bool:
    """Whether a case improves by enough time, and surely."""
    time = row["time"]
    return bool(time["improvement"] > WORTH and time["p_holm"] < MAX_P)


def recommended(rows: Sequence[Row], baseline: str) -> Row:
    """The setting to use, or the baseline.

    Parameters
    ----------
    rows : sequence of dict
        {setting, simulations, time: {improvement, p_holm}, fits: bool}; one per setting and case.
    baseline : str
        Name of the setting that all are compared with.

    Returns
    -------
    dict
        {setting, improvement (of time, geometric mean over cases), cases, significant, reason}.
        The largest improvement among settings that save more than 10 %, surely, in more than 75 %
        of their cases, and stay within the memory in all of them.
    """
    found: list[Row] = []
    for setting in dict.fromkeys(row["setting"] for row in rows):
        own = [row for row in rows if row["setting"] == setting]
        better = sum(map(is_better, own))
        kept = float(np.mean([math.log1p(-row["time"]["improvement"]) for row in own]))
        if better > SHARE * len(own) and all(row["fits"] for row in own):
            entry = {"setting": setting, "improvement": 1.0 - math.exp(kept)}
            found.append({**entry, "cases": len(own), "significant": better})
    if not found:
        reason = (
            f"no setting saves more than {WORTH:.0%} of the time (p < {MAX_P:g} after Holm's"
            f" correction) in more than {SHARE:.0%} of its cases: the baseline stands"
        )
        return {
            "setting": baseline,
            "improvement": 0.0,
            "cases": 0,
            "significant": 0,
            "reason": reason,
        }
    best = max(found, key=lambda row: row["improvement"])
    reason = (
        f"saves {best['improvement']:.0%} of the baseline's time; more than {WORTH:.0%} and sure"
        f" (p < {MAX_P:g} after Holm's correction) in {best['significant']} of {best['cases']}"
        " cases"
    )
    return {**best, "reason": reason}
