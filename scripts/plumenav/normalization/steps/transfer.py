"""Transfer: undo what the camera did to intensity.

With fraction = stored / full_scale:

* linear: intensity = low + (high - low) * fraction
* gamma: intensity = low + (high - low) * fraction**exponent
* square_root: intensity = low + (high - low) * fraction**2 (the file holds the square root)
* table: interpolated linearly between (stored, intensity) pairs, constant outside them

So all but the table are gain * stored**power + bias; only stored**power has to be computed for each
pixel of the file, gain and bias wait until the image is small.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from plumenav.config.normalization import Transfer
from plumenav.errors import UserError


class Inverse(NamedTuple):
    """Intensity = gain * shape(stored) + bias.

    Attributes
    ----------
    shape : callable
        (ndarray of stored numbers) -> ndarray of the working type; not to be written to, because it
        may be the input itself.
    gain, bias : float
    """

    shape: Callable[[np.ndarray], np.ndarray]
    gain: float
    bias: float


def power_of(transfer: Transfer) -> float:
    """Exponent of the stored fraction; 1 for linear."""
    return {"linear": 1.0, "square_root": 2.0}.get(transfer.kind, transfer.exponent)


def check(transfer: Transfer, where: str = "normalize.transfer") -> None:
    """Refuse a transfer that cannot be undone.

    Raises
    ------
    UserError
        If low equals high, or the table is too short or does not rise.
    """
    if transfer.kind == "table":
        stored = [pair[0] for pair in transfer.table]
        if len(stored) < 2 or any(b <= a for a, b in pairwise(stored)):
            raise UserError(
                f"{where}.table", f"{len(stored)} pairs {transfer.table}", "two or more, rising"
            )
    elif transfer.low == transfer.high:
        raise UserError(f"{where}.high", f"equals low ({transfer.low})", "two different numbers")


def plain(stored: np.ndarray, transfer: Transfer) -> np.ndarray:
    """Linear intensity of stored numbers, float64."""
    values = np.asarray(stored, np.float64)
    if transfer.kind == "table":
        known = np.asarray(transfer.table, np.float64)
        return np.asarray(np.interp(values, known[:, 0], known[:, 1]))
    fraction = values / transfer.full_scale
    intensity = transfer.low + (transfer.high - transfer.low) * fraction ** power_of(transfer)
    return np.asarray(intensity)


def inverse(transfer: Transfer, source: np.dtype, work: np.dtype) -> Inverse:
    """The fast form for numbers of one type.

    Parameters
    ----------
    transfer : Transfer
    source : dtype
        Of the recording.
    work : dtype
        float32 or float64: type that the kernel computes in.

    Returns
    -------
    Inverse
    """
    if transfer.kind == "table":
        return Inverse(_pixelwise(lambda v: plain(v, transfer), source, work), 1.0, 0.0)
    power = power_of(transfer)
    span = transfer.high - transfer.low
    if power == 1.0:
        gain = span / transfer.full_scale
        return Inverse(lambda v: v.astype(work, copy=False), gain, transfer.low)
    if power == 2.0:

        def square(values: np.ndarray) -> np.ndarray:
            out = values.astype(work)
            out *= out
            return out

        return Inverse(square, span / transfer.full_scale**2, transfer.low)

    def fraction(values: np.ndarray) -> np.ndarray:
        with np.errstate(invalid="ignore"):  # negative numbers have none: not a number
            return np.asarray((np.asarray(values, np.float64) / transfer.full_scale) ** power)

    return Inverse(_pixelwise(fraction, source, work), span, transfer.low)


def _pixelwise(
    function: Callable[[np.ndarray], np.ndarray], source: np.dtype, work: np.dtype
) -> Callable[[np.ndarray], np.ndarray]:
    """A look-up table for integers of up to 16 bits, the function itself for the rest."""
    if source.kind not in "ui" or source.itemsize > 2:
        return lambda values: function(values).astype(work)
    unsigned = np.dtype(f"u{source.itemsize}")
    every = np.arange(2 ** (8 * source.itemsize)).astype(unsigned).view(source)
    table = function(every).astype(work)
    return lambda values: np.take(table, values.view(unsigned))


def stored(intensity: np.ndarray, transfer: Transfer) -> np.ndarray | None:
    """Inverse of :func:`plain`; None for a table that cannot be read backwards.

    (Intensities below what the camera can store become its smallest number.)
    """
    if transfer.kind == "table":
        values = np.asarray(intensity, np.float64)
        known = np.asarray(transfer.table, np.float64)
        rising = np.diff(known[:, 1])
        if (rising > 0).all():
            return np.asarray(np.interp(values, known[:, 1], known[:, 0]))
        if (rising < 0).all():
            return np.asarray(np.interp(values, known[::-1, 1], known[::-1, 0]))
        return None
    # in place: images are large where this is asked for
    fraction: np.ndarray = np.subtract(intensity, transfer.low, dtype=np.float64)
    fraction /= transfer.high - transfer.low
    power = power_of(transfer)
    if power != 1.0:
        fraction = np.maximum(fraction, 0.0)
        fraction **= 1.0 / power
    fraction *= transfer.full_scale
    return np.asarray(fraction)
