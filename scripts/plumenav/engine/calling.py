"""Calling compiled code by its address, and reading arrays by theirs.

A kernel that has a model's step inside is compiled anew for every model in every kind of field. One
that calls it by its address is compiled once for a kind of field, and the step once for a model.
The call costs little, because it moves all agents in the lanes.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from typing import Any

from numba import config, types
from numba.extending import intrinsic

# what addresses stand for where nothing is compiled (NUMBA_DISABLE_JIT)
PLAIN: list[Callable[..., Any]] = []

if config.DISABLE_JIT:

    def pointer(address: int) -> Any:
        """Pointer to an address."""
        return ctypes.c_void_p(int(address))

    def call(function: int, n: int, arguments: int) -> None:
        """Call a function by its number in PLAIN."""
        PLAIN[function](n, arguments)

    def call_field(function: int, whole: tuple[int, ...], reals: tuple[float, ...]) -> float:
        """Call a field by its number in PLAIN."""
        value: float = PLAIN[function](*whole, *reals)
        return value

    def address(array: Any) -> int:
        """Where an array's numbers lie."""
        place: int = array.ctypes.data
        return place

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

    @intrinsic
    def call_field(typing_context: Any, function: Any, whole: Any, reals: Any) -> Any:
        """Call the function (*whole numbers, *real numbers) -> real that lies at an address."""

        def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            from llvmlite import ir

            given = [
                builder.extract_value(args[i], place)
                for i in (1, 2)
                for place in range(signature.args[i].count)
            ]
            kind = ir.FunctionType(ir.DoubleType(), [one.type for one in given])
            return builder.call(builder.inttoptr(args[0], kind.as_pointer()), given)

        n, m = len(whole), len(reals)
        return (
            types.float64(
                types.int64, types.UniTuple(types.int64, n), types.UniTuple(types.float64, m)
            ),
            codegen,
        )

    @intrinsic
    def address(typing_context: Any, array: Any) -> Any:
        """Where an array's numbers lie."""

        def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            from llvmlite import ir

            data = context.make_array(signature.args[0])(context, builder, args[0]).data
            return builder.ptrtoint(data, ir.IntType(64))

        return types.int64(array), codegen
