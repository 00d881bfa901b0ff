"""Compile plain functions of models and fields, which do not import numba themselves."""

from __future__ import annotations

import math
import types
from collections.abc import Callable
from functools import cache
from typing import Any

import numba

from plumenav.engine.trigonometry import compiled_math


@cache
def compiled(
    function: Callable[..., Any], inlined: bool = False, counted: bool = True, inner: bool = False
) -> Callable[..., Any]:
    """Compile a plain function together with the plain functions it uses.

    Models and fields do not import numba; here each function gets a copy whose helpers are compiled
    too, once for all who use it, and whose `math` has the sine and cosine of this engine. One
    marked by models/_math.reassociated may be summed in another order, which is what vector units
    need. `inlined`: what calls it gets its code instead of a call, for what is called in each step.
    `counted`: that arrays are counted by who uses them, which costs more than a step does; a
    function that makes views of arrays needs it. `inner`: only compiled code calls it.
    With NUMBA_DISABLE_JIT=1 everything stays plain Python.
    """
    namespace = dict(function.__globals__)
    for name in function.__code__.co_names:
        helper = namespace.get(name)
        if isinstance(helper, types.FunctionType):
            namespace[name] = compiled(helper, counted=counted, inner=inner)
        elif helper is math:
            namespace[name] = compiled_math
    clone = types.FunctionType(function.__code__, namespace, function.__name__)
    clone.__module__ = function.__module__
    # the order of a sum is fixed when it is compiled: the same bits in every run on one machine
    fastmath = {"reassoc", "nsz", "contract"} if hasattr(function, "reassociated") else False
    jitted: Callable[..., Any] = numba.njit(
        error_model="numpy",
        fastmath=fastmath,
        forceinline=inlined,
        _nrt=counted,
        no_cpython_wrapper=inner,
        no_cfunc_wrapper=inner,
    )(clone)
    return jitted
