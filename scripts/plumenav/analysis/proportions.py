"""Proportions with their uncertainty: intervals of success rates, paired comparisons."""

from __future__ import annotations

import math

Z_95 = 1.959963984540054  # 97.5 % point of the standard normal


def wilson_interval(successes: float, n: float, z: float = Z_95) -> tuple[float, float]:
    """Wilson score interval of a proportion.

    Parameters
    ----------
    successes, n : float
        Successes among n trials; n may be an effective number.
    z : float
        Quantile of the standard normal; 1.96 for 95 %.

    Returns
    -------
    tuple of float
        (low, high) within [0, 1]; (0, 1) if n is 0, because nothing is known.

    Raises
    ------
    ValueError
        Unless 0 <= successes <= n.

    Notes
    -----
    Wilson EB (1927) J Am Stat Assoc 22:209. Chosen over the Wald interval because it keeps its
    coverage near 0 and 1, where success rates of navigators often lie.

    Examples
    --------
    >>> [round(bound, 4) for bound in wilson_interval(81, 263)]
    [0.2553, 0.3662]
    """
    if not 0 <= successes <= n:
        raise ValueError(f"{successes} successes of {n}")
    if n == 0:
        return 0.0, 1.0
    p = successes / n
    centre = p + z * z / (2 * n)
    half = z * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    scale = 1 + z * z / n
    # exact ends where the algebra says so: rounding must not exclude the estimate itself
    low = 0.0 if successes == 0 else max(0.0, (centre - half) / scale)
    high = 1.0 if successes == n else min(1.0, (centre + half) / scale)
    return low, high


def mcnemar_exact(only_first: int, only_second: int) -> float:
    """Two-sided exact p-value of McNemar's test.

    Parameters
    ----------
    only_first, only_second : int
        Pairs in which only the first, or only the second, of the two succeeded.

    Returns
    -------
    float
        Twice the smaller binomial tail (p = 1/2), at most 1; 1 without discordant pairs.

    Notes
    -----
    McNemar Q (1947) Psychometrika 12:153; exact form: Agresti, Categorical Data
    Analysis, 10.1.

    Examples
    --------
    >>> round(mcnemar_exact(1, 5), 6)
    0.21875
    """
    from scipy.special import bdtr

    discordant = only_first + only_second
    if discordant == 0:
        return 1.0
    return min(1.0, 2.0 * float(bdtr(min(only_first, only_second), discordant, 0.5)))
