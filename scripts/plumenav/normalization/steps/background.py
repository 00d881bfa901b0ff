"""Background: the image without plume, from declared frames, subtracted after the transfer.

The combined image is built from gain-free values (see :mod:`.transfer`): the mean and the median of
gain * v + bias are gain * mean(v) + bias and gain * median(v) + bias.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

import cv2
import numpy as np

from plumenav.config.normalization import Background

# Raw frames that a median may hold at once; beyond it, the recording is read again strip by strip.
MEDIAN_BYTES = 256 * 2**20


def plain(intensity: np.ndarray, background: Background) -> np.ndarray:
    """Frames minus the background made of their own declared frames, float64."""
    values = np.asarray(intensity, np.float64)
    if background.method == "none" or background.frames is None:
        return values
    combine = np.mean if background.method == "mean" else np.median
    return values - combine(values[slice(*background.frames)], axis=0)


def mean_image(
    frames: Iterable[np.ndarray], shape: Callable[[np.ndarray], np.ndarray]
) -> np.ndarray:
    """Mean of images in one pass.

    Parameters
    ----------
    frames : iterable of ndarray, shape (height, width)
        Raw numbers; at least one.
    shape : callable
        From raw numbers to what is averaged.

    Returns
    -------
    ndarray, shape (height, width), float64
    """
    total: np.ndarray | None = None
    n = 0
    for frame in frames:
        values = shape(frame)
        if total is None:
            total = np.zeros(values.shape, np.float64)
        cv2.accumulate(values, total)
        n += 1
    if total is None:
        raise ValueError("no frames")
    return total / n


def median_image(
    read: Callable[[slice], Iterable[np.ndarray]],
    shape: Callable[[np.ndarray], np.ndarray],
    height: int,
    frame_bytes: int,
    n_frames: int,
    limit: int = MEDIAN_BYTES,
) -> np.ndarray:
    """Median of images in bounded memory: as many passes as `limit` makes necessary.

    Parameters
    ----------
    read : callable
        (rows) -> these rows of all frames, in order, as raw numbers.
    shape : callable
        From raw numbers to what the median is taken of.
    height : int
        Rows of a frame.
    frame_bytes, n_frames : int
        Raw bytes of one frame, and the number of frames.
    limit : int
        Raw bytes that may be held.

    Returns
    -------
    ndarray, shape (height, width), float64
    """
    rows = max(1, min(height, limit * height // max(1, frame_bytes * n_frames)))
    strips = []
    for start in range(0, height, rows):
        raw = np.stack([np.array(part) for part in read(slice(start, start + rows))])
        # row by row: the floats are larger than the raw numbers that the limit counts
        strips += [np.median(shape(raw[:, i]), axis=0) for i in range(raw.shape[1])]
    return np.stack(strips).astype(np.float64)
