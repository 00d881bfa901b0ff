"""Medians of paired ratios, and how sure they are."""

from __future__ import annotations

from typing import Any

import numpy as np

from plumenav.performance.benchmark._contract import Ratio

RESAMPLES = 4000
LEVEL = 0.95
SEED = 20260101


def bootstrap_interval(
    values: np.ndarray, resamples: int = RESAMPLES, level: float = LEVEL, seed: int = SEED
) -> tuple[float, float]:
    """Percentile bootstrap interval of the median.

    Repetitions are drawn with replacement; the members of a pair stay together because each value
    is already the ratio of one repetition. With few repetitions it cannot reach beyond the smallest
    and the largest of them, and says so by being as wide as they are.

    Parameters
    ----------
    values : ndarray, shape (repetitions,)
    resamples : int
    level : float
        Coverage, 0 to 1.
    seed : int
        The same values give the same interval.

    Returns
    -------
    tuple of float
        Low and high end.
    """
    generator = np.random.Generator(np.random.Philox(key=seed))
    drawn = generator.integers(0, len(values), (resamples, len(values)))
    medians = np.median(np.asarray(values, np.float64)[drawn], axis=1)
    tail = (1.0 - level) / 2.0
    low, high = np.quantile(medians, [tail, 1.0 - tail])
    return float(low), float(high)


def summary(ratio: Ratio) -> dict[str, Any]:
    """A ratio as it stands in benchmark.json.

    Parameters
    ----------
    ratio : Ratio

    Returns
    -------
    dict
        {median, ci_low, ci_high, n, unit}, and {required, bound, passed} where something is
        required: of the median.

    Raises
    ------
    ValueError
        If nothing was measured, or a value is not a finite number.
    """
    values = np.asarray(ratio.values, np.float64)
    if not len(values) or not np.isfinite(values).all():
        raise ValueError(f"no median of {values}")
    median = float(np.median(values))
    low, high = bootstrap_interval(values)
    result: dict[str, Any] = {
        "median": median,
        "ci_low": low,
        "ci_high": high,
        "n": len(values),
        "unit": ratio.unit,
    }
    if ratio.required is not None:
        passed = {"at most": median <= ratio.required, "at least": median >= ratio.required}
        result |= {
            "required": ratio.required,
            "bound": ratio.bound,
            "passed": passed[ratio.bound],
        }
    return result
