"""Crop: the part of the file's own image that is used, before anything is turned."""

from __future__ import annotations

import numpy as np

from plumenav.config.normalization import Crop
from plumenav.errors import UserError


def window(crop: Crop, height: int, width: int, where: str = "normalize.crop") -> tuple[int, ...]:
    """Rows and columns that are used.

    Parameters
    ----------
    crop : Crop
    height, width : int
        Size of the file's image, pixels.
    where : str
        Config key, for the message.

    Returns
    -------
    tuple of int
        (row_start, row_stop, column_start, column_stop).

    Raises
    ------
    UserError
        If the image is smaller than that.
    """
    rows, columns = crop.rows or (0, height), crop.columns or (0, width)
    for name, part, size in (("rows", rows, height), ("columns", columns, width)):
        if part[1] > size:
            raise UserError(f"{where}.{name}", f"[{part[0]}, {part[1]})", f"within [0, {size})")
    return (*rows, *columns)


def plain(frames: np.ndarray, crop: Crop) -> np.ndarray:
    """The used part of images, shape (n, height, width)."""
    r0, r1, c0, c1 = window(crop, frames.shape[1], frames.shape[2])
    return frames[:, r0:r1, c0:c1]
