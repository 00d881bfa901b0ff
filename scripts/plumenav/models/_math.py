"""Small functions that models share; the engine compiles them with the model's step."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, TypeVar

Function = TypeVar("Function", bound=Callable[..., Any])


# a time before all others, of what has not happened
NEVER = -1.0e9
# durations are compared with this much slack against rounding
SLACK_S = 1.0e-9


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


def modulo(a: float, b: float) -> float:
    """The same number as `a % b`, b > 0, without its long division (|a / b| below 1e9)."""
    r = a - b * math.floor(a / b)
    # the quotient may have been rounded up to a whole number
    return r + b if r < 0.0 else r


def other_side(u: float) -> float:
    """Uniform number that decides between two sides (u < 0.5) the other way, for `mirrored`."""
    return 1.0 - 2.0**-53 - u


def opposite(b: float) -> float:
    """Second uniform of `normal` with which it gives minus the same number, for `mirrored`."""
    return b + 0.5 if b < 0.5 else b - 0.5


# how two readings can be compared, by number
DIFFERENCE, SIGN, CONTRAST = 0.0, 1.0, 2.0
COMPARISONS = {"difference": DIFFERENCE, "sign": SIGN, "contrast": CONTRAST}


def compare(how: float, left: float, right: float, least: float, c0: float) -> float:
    """Compare a left with a right reading (neither negative); positive if there is more left."""
    if how == CONTRAST:
        return (left - right) / (left + right + c0)
    if how == DIFFERENCE:
        return left - right
    return (1.0 if left - right > least else 0.0) - (1.0 if right - left > least else 0.0)


def direction(u: float) -> float:
    """Angle in [-pi, pi), all equally likely; `other_side(u)` gives its mirror image."""
    return 2.0 * math.pi * (u - 0.5)
