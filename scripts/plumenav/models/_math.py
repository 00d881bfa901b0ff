"""Small functions that models share; the engine compiles them with the model's step."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, TypeVar

Function = TypeVar("Function", bound=Callable[..., Any])


def reassociated(function: Function) -> Function:
    """Let the compiler sum in another order than written, as vector units do.

    For loops that are nothing but sums. The order is chosen when the function is compiled, so
    results are the same in every run on one machine; between kinds of machines they differ by
    rounding.
    """
    function.reassociated = True  # type: ignore[attr-defined]
    return function


def normal(a: float, b: float) -> float:
    """Standard normal number from two uniforms in [0, 1) (Box and Muller 1958, no rejection)."""
    return math.sqrt(-2.0 * math.log(1.0 - a)) * math.cos(2.0 * math.pi * b)


def other_side(u: float) -> float:
    """Uniform number that decides between two sides (u < 0.5) the other way, for `mirrored`."""
    return 1.0 - 2.0**-53 - u


def opposite(b: float) -> float:
    """Second uniform of `normal` with which it gives minus the same number, for `mirrored`."""
    return b + 0.5 if b < 0.5 else b - 0.5
