"""A field that is called by its address: any but movies, for which the call would cost too much.

The kernel is compiled once for movies and once for this field, which stands for all others; each of
those is compiled for itself, in a fraction of a second (engine/field_stub.py).
"""

from __future__ import annotations

from typing import Any, NamedTuple

from plumenav.engine.calling import address, call_field

BOUNDED = False  # so that no pixel is asked for in advance


class Constants(NamedTuple):
    """Address of the field's function, of its constants, and the shape of a frame."""

    function: int
    constants: int
    height: int
    width: int


def value(
    frames: Any,
    k: int,
    row: float,
    column: float,
    x_mm: float,
    y_mm: float,
    bilinear: bool,
    c: Constants,
    chance: float,
    dt_s: float,
) -> float:
    """What the field's own function says; parameters as in engine/fields/movie.py."""
    return call_field(
        c.function,
        (address(frames), c.height, c.width, k, int(bilinear), c.constants),
        (row, column, x_mm, y_mm, chance, dt_s),
    )
