"""Noise floor: in every frame, the mean of a patch of clean air is brought to 0.

It follows the drift of a lamp or of a thermal camera. Negatives stay: what a sensor ignores is the
sensor's own business.
"""

from __future__ import annotations

import numpy as np

from plumenav.config.normalization import NoiseFloor
from plumenav.errors import UserError


def patch(settings: NoiseFloor, window: tuple[int, ...], where: str) -> tuple[slice, slice] | None:
    """Rows and columns of the clean air, counted in the window; None if there is none.

    Raises
    ------
    UserError
        If it is not inside the part of the image that is used.
    """
    if settings.rows is None or settings.columns is None:
        return None
    parts = []
    for key, given, (low, high) in (
        ("rows", settings.rows, window[:2]),
        ("columns", settings.columns, window[2:]),
    ):
        if given[0] < low or given[1] > high:
            raise UserError(
                f"{where}.{key}",
                f"[{given[0]}, {given[1]})",
                f"within [{low}, {high}), the part of the image that is used",
            )
        parts.append(slice(given[0] - low, given[1] - low))
    return parts[0], parts[1]


def plain(frames: np.ndarray, where: tuple[slice, slice] | None) -> np.ndarray:
    """Frames, shape (n, height, width), minus the mean of their own clean air."""
    if where is None:
        return frames
    return np.asarray(frames - frames[:, *where].mean(axis=(1, 2), keepdims=True))
