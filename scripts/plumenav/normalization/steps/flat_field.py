"""Dark and flat field: what an even light would give becomes even.

corrected = (image - dark) * mean(flat - dark) / (flat - dark), on linear intensity, per pixel.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from plumenav.errors import UserError


class Flat(NamedTuple):
    """What is subtracted, and what it is multiplied by afterwards, per pixel of the window."""

    dark: np.ndarray
    gain: np.ndarray


def flat(dark: np.ndarray | None, even: np.ndarray | None, where: str) -> Flat | None:
    """The correction from linear images of the window; None if there are none.

    Raises
    ------
    UserError
        If the flat field is not brighter than the dark one in every pixel.
    """
    if dark is None and even is None:
        return None
    base = np.zeros_like(even) if dark is None else dark
    assert base is not None
    if even is None:
        return Flat(base, np.ones_like(base))
    light = even - base
    if not (light > 0).all():
        raise UserError(
            where,
            f"the flat field is not brighter than the dark one in {int((light <= 0).sum())} pixels",
            "a flat field that is brighter everywhere",
            "Crop those pixels away, or check which image is which.",
        )
    return Flat(base, light.mean() / light)


def plain(intensity: np.ndarray, how: Flat | None) -> np.ndarray:
    """Corrected images, shape (..., height, width)."""
    return intensity if how is None else (intensity - how.dark) * how.gain


def undo(corrected: np.ndarray, how: Flat | None) -> np.ndarray:
    """Inverse of :func:`plain`."""
    return corrected if how is None else corrected / how.gain + how.dark
