"""Compile plain functions of models and fields, which do not import numba themselves."""

from __future__ import annotations

import types
from collections.abc import Callable
from typing import Any

import numba


def compiled(function: Callable[..., Any]) -> Callable[..., Any]:
    """Compile a plain function together with the plain functions it uses.

    Models and fields do not import numba; here each function gets a copy whose helpers are compiled
    too. With NUMBA_DISABLE_JIT=1 everything stays plain Python.
    """
    namespace = dict(function.__globals__)
    for name in function.__code__.co_names:
        helper = namespace.get(name)
        if isinstance(helper, types.FunctionType):
            namespace[name] = compiled(helper)
    clone = types.FunctionType(function.__code__, namespace, function.__name__)
    clone.__module__ = function.__module__
    jitted: Callable[..., Any] = numba.njit(error_model="numpy")(clone)
    return jitted
