"""Storage: concentration as small integers with a scale and an offset, clipped and counted."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from plumenav.config.normalization import Storage
from plumenav.errors import UserError


class Code(NamedTuple):
    """concentration = stored * scale + offset, stored in `dtype` between `lowest` and `highest`.

    For float32 nothing is clipped, and the bounds are None.
    """

    dtype: np.dtype
    scale: float
    offset: float
    lowest: int | None
    highest: int | None


def code(storage: Storage, source_bits: int, where: str = "normalize.storage") -> Code:
    """How concentration is stored.

    Parameters
    ----------
    storage : Storage
    source_bits : int
        Bits of the recording: ``auto`` keeps 8-bit recordings in 8 bits and takes 16 for others.
    where : str
        Config key, for the message.

    Returns
    -------
    Code
        minimum is the smallest stored integer, maximum the largest, to within half a step: a
        concentration of 0 is stored exactly.

    Raises
    ------
    UserError
        If minimum is not below maximum.
    """
    auto = "uint8" if source_bits <= 8 else "uint16"
    dtype = np.dtype(auto if storage.dtype == "auto" else storage.dtype)
    if not storage.minimum < storage.maximum:
        raise UserError(
            where, f"minimum {storage.minimum}, maximum {storage.maximum}", "minimum < maximum"
        )
    if dtype.kind == "f":
        return Code(dtype, 1.0, 0.0, None, None)
    limits = np.iinfo(dtype)
    scale = (storage.maximum - storage.minimum) / (int(limits.max) - int(limits.min))
    if storage.minimum <= 0 <= storage.maximum:
        # else all pixels of clean air would be off by the same part of a step
        offset = -(int(limits.min) + round(-storage.minimum / scale)) * scale
    else:
        offset = storage.minimum - limits.min * scale
    return Code(dtype, scale, offset, int(limits.min), int(limits.max))


def plain(concentration: np.ndarray, how: Code) -> tuple[np.ndarray, int, int]:
    """Stored numbers, and how many were clipped at the low and the high end.

    A value counts as clipped if it lies more than half a step outside: less is rounding.
    """
    values = (np.asarray(concentration, np.float64) - how.offset) / how.scale
    if how.lowest is None or how.highest is None:
        return values.astype(how.dtype), 0, 0
    low = int(np.count_nonzero(values < how.lowest - 0.5))
    high = int(np.count_nonzero(values > how.highest + 0.5))
    stored = np.clip(np.rint(values), how.lowest, how.highest).astype(how.dtype)
    return stored, low, high
