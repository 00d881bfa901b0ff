"""Philox4x64-10 compiled, word for word what numpy.random.Philox gives (see plumenav.rng)."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import config, types
from numba.extending import intrinsic

from plumenav.engine.inner import inner

M0, M1 = np.uint64(0xD2E7470EE14C6C93), np.uint64(0xCA5A826395121157)
W0, W1 = np.uint64(0x9E3779B97F4A7C15), np.uint64(0xBB67AE8584CAA73B)
TWO_TO_MINUS_53 = 1.0 / 9007199254740992.0
SHIFT = np.uint64(11)
ONE = np.uint64(1)

if config.DISABLE_JIT:

    def multiply(a: Any, b: Any) -> tuple[Any, Any]:
        """High and low 64 bits of a product."""
        product = int(a) * int(b)
        return np.uint64(product >> 64), np.uint64(product & 0xFFFFFFFFFFFFFFFF)

    def add(a: Any, b: Any) -> Any:
        """Sum modulo 2**64."""
        return np.uint64((int(a) + int(b)) & 0xFFFFFFFFFFFFFFFF)

else:

    @intrinsic
    def multiply(typing_context: Any, a: Any, b: Any) -> Any:
        """High and low 64 bits of a product: one machine instruction instead of sixteen."""

        def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            from llvmlite import ir

            wide = ir.IntType(128)
            product = builder.mul(builder.zext(args[0], wide), builder.zext(args[1], wide))
            high = builder.trunc(builder.lshr(product, ir.Constant(wide, 64)), ir.IntType(64))
            low = builder.trunc(product, ir.IntType(64))
            return context.make_tuple(builder, signature.return_type, (high, low))

        return types.UniTuple(types.uint64, 2)(types.uint64, types.uint64), codegen

    @inner
    def add(a: Any, b: Any) -> Any:
        """Sum modulo 2**64."""
        return a + b


@inner
def philox_block(key: Any, step: Any, block: Any) -> tuple[Any, Any, Any, Any]:
    """Four 64-bit words of (key, step, block)."""
    # numpy counts up before it draws: its counter (step, block) uses (step + 1, block)
    c0, c1, c2, c3 = add(step, ONE), block, np.uint64(0), np.uint64(0)
    k0, k1 = key, np.uint64(0)
    for _ in range(10):
        hi0, lo0 = multiply(M0, c0)
        hi1, lo1 = multiply(M1, c2)
        c0, c1, c2, c3 = hi1 ^ c1 ^ k0, lo1, hi0 ^ c3 ^ k1, lo0
        k0, k1 = add(k0, W0), add(k1, W1)
    return c0, c1, c2, c3


@inner
def uniform(word: Any) -> float:
    """53-bit uniform number in [0, 1)."""
    return float(word >> SHIFT) * TWO_TO_MINUS_53
