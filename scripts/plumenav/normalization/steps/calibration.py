"""Calibration: two points make the odour signal a concentration.

concentration = (signal - zero) / (one - zero)

`one` is declared, or found: a percentile of the movie, or the mean of a region at the source.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

from plumenav.config.normalization import Calibration
from plumenav.errors import UserError
from plumenav.normalization.spread import Spread

# Pixel-frames that a percentile is taken of: evenly spread, beyond any error that matters.
FRAMES, PIXELS = 256, 65536


class Points(NamedTuple):
    """Signal of clean air and of the undiluted source."""

    zero: float
    one: float

    @property
    def factor(self) -> float:
        """Concentration per signal."""
        return 1.0 / (self.one - self.zero)


def plain(signal: np.ndarray, points: Points) -> np.ndarray:
    """Concentration of odour signals, float64."""
    values = np.asarray(signal, np.float64)
    return (values - points.zero) / (points.one - points.zero)


def found(
    settings: Calibration,
    signals: Iterable[np.ndarray],
    region: tuple[slice, slice] | None,
    where: str,
    keep: np.ndarray | None = None,
) -> Points:
    """The two points, the second one found in the movie.

    Parameters
    ----------
    settings : Calibration
        With method percentile or source_region.
    signals : iterable of ndarray, shape (height, width)
        Odour signals of the frames that are looked at.
    region : tuple of slice, or None
        Rows and columns at the source, in the signals' pixels; None: percentile.
    where : str
        Config key, for messages.
    keep : ndarray, shape (height, width), or None
        Above 0 where pixels count in a percentile; None: everywhere.

    Raises
    ------
    UserError
        If the movie has no odour there.
    """
    if region is not None:
        means = [float(signal[region].mean(dtype=np.float64)) for signal in signals]
        one = float(np.mean(means))
    else:
        spread: Spread[np.ndarray] = Spread(FRAMES)
        for signal in signals:
            if spread.wants():
                spread.add(_thinned(signal, keep).astype(np.float32))
        one = float(np.percentile(np.stack(spread.kept), settings.percentile))
    if not one > settings.zero:
        raise UserError(
            where,
            f"{settings.method} gives {one:g} as the signal of the source,"
            f" not above that of clean air ({settings.zero:g})",
            "a movie in which odour raises the signal",
            "Check background and polarity, or declare `one`.",
        )
    return Points(settings.zero, one)


def _thinned(signal: np.ndarray, keep: np.ndarray | None) -> np.ndarray:
    """Evenly spread pixels of those that count."""
    if keep is not None:
        counted = signal[keep > 0]
        return np.asarray(counted[:: max(1, -(-counted.size // PIXELS))])
    stride = max(1, int(np.ceil((signal.size / PIXELS) ** 0.5)))
    return np.asarray(signal[::stride, ::stride])


def declared(settings: Calibration) -> Points:
    """The two points as the config says them."""
    return Points(settings.zero, settings.one)
