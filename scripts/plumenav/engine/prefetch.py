"""Ask for a pixel before it is needed: the next frame is seldom in the cache when it is shown."""

from __future__ import annotations

from typing import Any

from numba import config, types
from numba.extending import intrinsic

if config.DISABLE_JIT:

    def prefetch(frames: Any, k: int, row: int, column: int) -> None:
        """Nothing: plain Python waits for more than memory."""

else:

    @intrinsic
    def prefetch(typing_context: Any, frames: Any, k: Any, row: Any, column: Any) -> Any:
        """Begin to load frames[k, row, column] into the cache; any index does no harm."""

        def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            from llvmlite import ir

            array = context.make_array(signature.args[0])(context, builder, args[0])
            strides = [builder.extract_value(array.strides, d) for d in range(3)]
            offset = ir.Constant(ir.IntType(64), 0)
            for index, stride in zip(args[1:], strides, strict=True):
                offset = builder.add(offset, builder.mul(index, stride))
            byte = builder.bitcast(array.data, ir.IntType(8).as_pointer())
            address = builder.gep(byte, [offset])
            kind = ir.FunctionType(ir.VoidType(), [byte.type, *[ir.IntType(32)] * 3])
            function = builder.module.declare_intrinsic("llvm.prefetch", [byte.type], kind)
            # to read, to keep, data
            builder.call(function, [address, *(ir.Constant(ir.IntType(32), v) for v in (0, 3, 1))])
            return context.get_dummy_value()

        return types.void(frames, types.int64, types.int64, types.int64), codegen
