"""Concentration at a place and time: one file per kind of field.

A field file defines

    BOUNDED : bool
        True: outside the arena there is nothing.
    DRAWS : bool
        True: what is sensed is drawn anew in each step, with one uniform number per agent and step.
        Such a field also defines ``mean(x_mm, y_mm, c) -> float``, its mean per second.
    Constants : NamedTuple of floats, all with defaults
        What a config may set under `analytic.parameters`.
    value(frames, k, row, column, x_mm, y_mm, bilinear, c, chance, dt_s) -> float
        The stored number at a place: a plain function that numba can compile, without numba.
        `chance` is that uniform number in [0, 1), the same for all points of a sensor (0 where
        DRAWS is False), and `dt_s` the time step.
    problem(c) -> str or None, optional
        What is wrong with a set of constants, for the user.
"""
