"""A field's function as it is called by its address.

This file is real code for one field, and the template of all others: compiling.py writes a copy in
which the import marked [field] and the type marked [dtype] are the wanted ones.
"""

from __future__ import annotations

import numpy as np
from numba import carray

from plumenav.engine.calling import pointer
from plumenav.engine.fields import gaussian as field  # [field]
from plumenav.engine.jit import compiled

dtype = np.float32  # [dtype]
field_value = compiled(field.value, inlined=True, inner=True)
n_constants = len(field.Constants._fields)


# [generated]
def constants_of(reals: np.ndarray) -> field.Constants:
    """Constants of the field from their numbers."""
    return field.Constants(reals[0], reals[1])


# [/generated]
constants_from = compiled(constants_of, inlined=True, inner=True)


def value(
    frames: int,
    height: int,
    width: int,
    k: int,
    bilinear: int,
    constants: int,
    row: float,
    column: float,
    x_mm: float,
    y_mm: float,
    chance: float,
    dt_s: float,
) -> float:
    """Concentration at a place; `frames` and `constants` are addresses."""
    images = carray(pointer(frames), (k + 1, height, width), dtype)
    reals = carray(pointer(constants), n_constants, np.float64)
    return float(
        field_value(
            images, k, row, column, x_mm, y_mm, bilinear != 0, constants_from(reals), chance, dt_s
        )
    )
