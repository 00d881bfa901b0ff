"""Maps of a sample over time, and where in them there is plume and where not."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

# a pixel sees the plume if its variance exceeds that of noise by this factor
PLUME_VARIANCE = 4.0
QUIET_VARIANCE = 2.0
QUIET_PERCENTILE = 5.0
# share of the source's concentration: what changes by less counts as standing still
LEAST_SD = 1e-3


class Moments(NamedTuple):
    """Moments of each pixel over time.

    Attributes
    ----------
    mean, sd, third : ndarray, shape (height, width), float64
        Mean, standard deviation and third central moment.
    n : int
        Frames.
    """

    mean: np.ndarray
    sd: np.ndarray
    third: np.ndarray
    n: int


def moments(frames: np.ndarray) -> Moments:
    """Mean, standard deviation and third central moment of frames, shape (n, height, width)."""
    mean = frames.mean(axis=0, dtype=np.float64)
    square, cube = np.zeros(mean.shape), np.zeros(mean.shape)
    for frame in frames:
        d = frame - mean
        d2 = d * d
        square += d2
        cube += d2 * d
    n = len(frames)
    return Moments(mean, np.sqrt(square / n), cube / n, n)


def noise_sd_of(sd: np.ndarray, blank: tuple[slice, slice] | None) -> float:
    """Standard deviation of the noise of a pixel of the sample.

    Parameters
    ----------
    sd : ndarray, shape (height, width)
        Over time.
    blank : tuple of slice or None
        Rows and columns of blank air; without them the quietest pixels stand for it.
    """
    if blank is not None and sd[blank].size:
        return float(np.median(sd[blank]))
    return float(np.percentile(sd, QUIET_PERCENTILE))


def plume_mask(sd: np.ndarray, noise_sd: float, least: float = LEAST_SD) -> np.ndarray:
    """Pixels whose fluctuations are more than noise."""
    return np.asarray(sd**2 > PLUME_VARIANCE * noise_sd**2 + least**2)


def quiet_mask(sd: np.ndarray, noise_sd: float, least: float = LEAST_SD) -> np.ndarray:
    """Pixels that show nothing but noise: places without plume.

    Where the recording has noise, pixels that never change were not recorded: a mask made them.
    """
    quiet = sd**2 <= QUIET_VARIANCE * noise_sd**2 + least**2
    alive = quiet & (sd > 0)
    return np.asarray(alive if noise_sd > 0 and alive.any() else quiet)
