"""How two readings are compared, as the references of gradient followers do it.

Written from docs/conventions.md (Models, Gradient following).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

KINDS = ("difference", "sign", "contrast")


def compared(p: Mapping[str, Any], L: float, R: float) -> tuple[float, float]:
    """Comparison of a left with a right reading, and how close it came to another decision.

    Parameters
    ----------
    p : dict
        `comparison` (difference, sign, contrast), `least_difference`, `c0`.
    L, R : float
        Readings, not negative.

    Returns
    -------
    value, margin : float
        Only the sign is a decision: margin is the distance of |L - R| from `least_difference`.
    """
    if p["comparison"] not in KINDS:
        raise ValueError(f"comparison {p['comparison']!r}; known: {', '.join(KINDS)}")
    if p["comparison"] == "contrast":
        return (L - R) / (L + R + p["c0"]), math.inf
    if p["comparison"] == "difference":
        return L - R, math.inf
    size, margin = abs(L - R), abs(abs(L - R) - p["least_difference"])
    if size <= p["least_difference"]:
        return 0.0, margin
    return math.copysign(1.0, L - R), margin
