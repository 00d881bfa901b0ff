"""Calling compiled code by its address, and reading arrays by theirs.

A kernel that has a model's step inside is compiled anew for every model in every kind of field. One
that calls it by its address is compiled once for a kind of field, and the step once for a model. The
call costs little, because it moves all agents in the lanes.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from typing import Any

from numba import config, types
from numba.extending import intrinsic

# what addresses stand for where nothing is compiled (NUMBA_DISABLE_JIT)
PLAIN: list[Callable[[int, int], None]] = []

if config.DISABLE_JIT:

    def pointer(address: int) -> Any:
        """Pointer to an address."""
        return ctypes.c_void_p(int(address))

    def call(function: int, n: int, arguments: int) -> None:
        """Call a function by its number in PLAIN."""
        PLAIN[function](n, arguments)

else:

    @intrinsic
    def pointer(typing_context: Any, address: Any) -> Any:
        """Pointer to an address, for numba.carray."""

        def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            from llvmlite import ir

            return builder.inttoptr(args[0], ir.IntType(8).as_pointer())

        return types.voidptr(types.int64), codegen

    @intrinsic
    def call(typing_context: Any, function: Any, n: Any, arguments: Any) -> Any:
        """Call the function (n, arguments) -> nothing that lies at an address."""

        def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            from llvmlite import ir

            word = ir.IntType(64)
            kind = ir.FunctionType(ir.VoidType(), [word, word])
            builder.call(builder.inttoptr(args[0], kind.as_pointer()), args[1:])
            return context.get_dummy_value()

        return types.void(types.int64, types.int64, types.int64), codegen
