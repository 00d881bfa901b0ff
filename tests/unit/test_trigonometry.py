"""The kernel's sine and cosine against the library's; the quick modulo against Python's."""

import math

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from numba import njit

from plumenav.engine import trigonometry
from plumenav.engine.jit import compiled
from plumenav.models._math import modulo

_sin, _cos = trigonometry.sin, trigonometry.cos


@njit
def sin(a):
    """As compiled code calls it; nothing else can."""
    return _sin(a)


@njit
def cos(a):
    """As compiled code calls it."""
    return _cos(a)


@pytest.mark.parametrize("name", ["sin", "cos"])
@pytest.mark.parametrize(
    "angles",
    [
        np.linspace(-7.0, 7.0, 20_001),
        np.arange(-4000, 4001) * (math.pi / 4.0),
        np.random.default_rng(0).uniform(-2e5, 2e5, 20_000),
        np.array([0.0, -0.0, 1e-300, 1e5, -1e5, 1e22, math.nan]),
    ],
    ids=["turns", "eighths of a turn", "many turns", "ends"],
)
def test_sine_and_cosine_are_the_library_s(name, angles):
    ours = np.array([{"sin": sin, "cos": cos}[name](a) for a in angles.tolist()])
    theirs = np.array([getattr(math, name)(a) for a in angles.tolist()])
    assert np.allclose(ours, theirs, rtol=0.0, atol=3e-16, equal_nan=True)


def test_an_angle_and_its_mirror_image_have_the_same_bits():
    for a in np.random.default_rng(1).uniform(0.0, 100.0, 2_000).tolist():
        assert sin(-a) == -sin(a)
        assert cos(-a) == cos(a)


def of_math(a):
    return math.sin(a), math.sqrt(a)


def test_what_the_engine_compiles_uses_them():
    a = next(a for a in np.arange(1.0, 1e3).tolist() if sin(a) != math.sin(a))
    assert compiled(of_math)(a) == (sin(a), math.sqrt(a))


@given(st.floats(-1e6, 1e6))
@example(-1e-17)
@example(-359.0)
@example(359.0)
@example(718.0)
@example(math.nextafter(718.0, 0.0))
@example(math.nextafter(-359.0, 0.0))
def test_modulo_is_that_of_python_bit_for_bit(a):
    assert modulo(a, 359.0) == a % 359.0
    assert compiled(modulo)(a, 359.0) == a % 359.0
