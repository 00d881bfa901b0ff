"""Sine and cosine that compile into the kernel: one reduction for both, no call, no division.

A library's sine is a call that the compiler cannot look into; agents take several per step, most of
them in pairs of the same angle. Rounding errors are below 3e-16, as a test compares with `math`.
"""

from __future__ import annotations

import math
import types

import numpy as np

from plumenav.engine.inner import inner

# pi / 2 in three parts, the first two of 33 bits: a multiple of them has no rounding error
HALF_PI = (
    float.fromhex("0x1.921fb544p+0"),
    float.fromhex("0x1.0b4611a6p-34"),
    float.fromhex("0x1.3198a2e037073p-69"),
)
FIRST, SECOND, THIRD = HALF_PI
QUARTERS_PER_RADIAN = 2.0 / math.pi
# beyond it (16,000 turns) the library takes over
LARGEST = 1e5
# Taylor's coefficients: on +-pi/4 the next terms are below 5e-17
S3, S5, S7, S9, S11, S13, S15 = ((-1.0) ** k / math.factorial(2 * k + 1) for k in range(1, 8))
C4, C6, C8, C10, C12, C14, C16 = ((-1.0) ** k / math.factorial(2 * k) for k in range(2, 9))


@inner
def reduced(x: float) -> tuple[int, float]:
    """Number of the nearest quarter turn, and the angle from it."""
    quarters = float(np.rint(x * QUARTERS_PER_RADIAN))
    return int(quarters), ((x - quarters * FIRST) - quarters * SECOND) - quarters * THIRD


@inner
def sine_near(r: float) -> float:
    """Sine on +-pi/4; pairs of terms first, as they need not wait for one another."""
    z = r * r
    z2 = z * z
    low = (S3 + z * S5) + z2 * (S7 + z * S9)
    high = (S11 + z * S13) + z2 * S15
    return r + r * z * (low + z2 * z2 * high)


@inner
def cosine_near(r: float) -> float:
    """Cosine on +-pi/4."""
    z = r * r
    z2 = z * z
    low = (C4 + z * C6) + z2 * (C8 + z * C10)
    high = (C12 + z * C14) + z2 * C16
    return 1.0 - 0.5 * z + z2 * (low + z2 * z2 * high)


@inner
def sin(x: float) -> float:
    """Sine."""
    if not abs(x) < LARGEST:
        return math.sin(x)
    n, r = reduced(x)
    v: float = cosine_near(r) if n & 1 else sine_near(r)
    return -v if n & 2 else v


@inner
def cos(x: float) -> float:
    """Cosine."""
    if not abs(x) < LARGEST:
        return math.cos(x)
    n, r = reduced(x)
    v: float = sine_near(r) if n & 1 else cosine_near(r)
    return -v if (n + 1) & 2 else v


# `math` as plain functions see it when the engine compiles them
compiled_math = types.ModuleType("compiled_math", math.__doc__)
compiled_math.__dict__.update({**vars(math), "sin": sin, "cos": cos})
