"""Small functions that models share; the engine compiles them with the model's step."""

from __future__ import annotations

import math


def normal(a: float, b: float) -> float:
    """Standard normal number from two uniforms in [0, 1) (Box and Muller 1958, no rejection)."""
    return math.sqrt(-2.0 * math.log(1.0 - a)) * math.cos(2.0 * math.pi * b)
