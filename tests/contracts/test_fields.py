"""Every field keeps the contract of engine/fields/__init__.py."""

import importlib
import math

import numpy as np
import pytest

from plumenav import registry
from plumenav.engine.jit import compiled
from plumenav.references import _plume

FIELDS = {name: registry.get("field", name) for name in registry.names("field")}
FIELDS["template"] = importlib.import_module("plumenav.engine.fields._template")
FRAMES = np.arange(24, dtype=np.uint16).reshape(2, 3, 4)
PLACES = [(30.0, 4.0), (-7.0, -12.0), (0.0, 0.0), (180.0, -60.0)]


@pytest.mark.parametrize("name", FIELDS)
def test_it_says_what_it_is(name):
    field = FIELDS[name]
    assert isinstance(field.BOUNDED, bool)
    assert isinstance(field.DRAWS, bool)
    assert all(type(v) is float for v in field.Constants())
    assert set(field.Constants._fields) == set(field.Constants._field_defaults)
    problem = getattr(field, "problem", None)
    assert problem is None or problem(field.Constants()) is None
    if field.DRAWS:
        assert all(field.mean(x, y, field.Constants()) > 0 for x, y in PLACES)


@pytest.mark.parametrize("name", FIELDS)
def test_compiled_and_plain_give_the_same_numbers(name):
    field = FIELDS[name]
    plain, fast = field.value, compiled(field.value)
    for x, y in PLACES:
        for chance in (0.0, 0.6, 0.999):
            where = (FRAMES, 1, 1.2, 2.7, x, y, True, field.Constants(), chance, 0.5)
            found = plain(*where)
            assert math.isfinite(found)
            assert fast(*where) == pytest.approx(found, rel=1e-13, abs=1e-300)


@pytest.mark.parametrize("name", FIELDS)
def test_only_fields_that_draw_look_at_chance_and_step(name):
    field = FIELDS[name]
    values = [
        [field.value(FRAMES, 1, 1.2, 2.7, x, y, False, field.Constants(), *how) for x, y in PLACES]
        for how in ((0.0, 0.02), (0.97, 0.5))
    ]
    assert (values[0] != values[1]) == field.DRAWS


@pytest.mark.parametrize("name", sorted(set(FIELDS) - {"movie", "signal", "template"}))
def test_every_analytic_field_has_a_reference(name):
    field = FIELDS[name]
    assert (name in _plume.DETECTIONS) == field.DRAWS
    reference = {**_plume.FORMULAS, **_plume.DETECTIONS}[name]
    c = field.Constants()
    for x, y in PLACES:
        ours = (
            field.mean(x, y, c)
            if field.DRAWS
            else field.value(FRAMES, 0, 0, 0, x, y, False, c, 0.0, 0.0)
        )
        assert reference(c._asdict(), x, y) == pytest.approx(ours, rel=1e-11)
