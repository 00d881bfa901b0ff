"""A bounded sample of a movie: bursts of consecutive frames, evenly spaced over its length.

What needs neighbours in time and place (motion, correlation, maps) is measured on the sample, so
that memory and time do not grow with the length of the movie.
"""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np

from plumenav.tables import PlumeReader

BURSTS = 60
BURST_FRAMES = 5
# an image with more pixels is averaged down before it is looked at
MOST_PIXELS = 100_000


class Sample(NamedTuple):
    """Bursts of consecutive frames.

    Attributes
    ----------
    frames : ndarray, shape (n, height, width), float32
        Concentration; averaged over `factor` x `factor` pixels.
    number : ndarray, shape (n,), int
        Number of each frame in the movie.
    time_s : ndarray, shape (n,)
    burst : ndarray, shape (n,), int
        Burst that each frame belongs to.
    factor : int
        Pixels of the plume along the edge of one pixel of the sample.
    """

    frames: np.ndarray
    number: np.ndarray
    time_s: np.ndarray
    burst: np.ndarray
    factor: int


def shrunk(image: np.ndarray, factor: int) -> np.ndarray:
    """Image averaged over squares of `factor` pixels; what is left over at the far edges is cut."""
    if factor == 1:
        return np.asarray(image, np.float32)
    height, width = image.shape[0] // factor, image.shape[1] // factor
    part = np.asarray(image[: height * factor, : width * factor], np.float32)
    return np.asarray(cv2.resize(part, (width, height), interpolation=cv2.INTER_AREA))


def burst_starts(n_frames: int, bursts: int, length: int) -> np.ndarray:
    """First frames of evenly spaced bursts that do not overlap; all frames of a short movie.

    Examples
    --------
    >>> burst_starts(100, 3, 10)
    array([ 0, 45, 90])
    >>> burst_starts(25, 40, 10)
    array([ 0, 10])
    """
    possible = max(1, min(bursts, n_frames // length))
    if possible < bursts:
        return np.arange(possible) * length
    last = n_frames - length
    return np.unique(np.linspace(0, last, possible).round().astype(int))


def take_sample(reader: PlumeReader, bursts: int = BURSTS, length: int = BURST_FRAMES) -> Sample:
    """Sample of a movie; only the blocks that hold it are read.

    Parameters
    ----------
    reader : PlumeReader
        A movie.
    bursts, length : int
        Most bursts, and frames in each.
    """
    height, width = reader.shape
    factor = max(1, int(np.ceil(np.sqrt(height * width / MOST_PIXELS))))
    factor = min(factor, height, width)
    scale, offset = float(reader.metadata["scale"]), float(reader.metadata["offset"])
    starts = burst_starts(reader.n_frames, bursts, length)
    number = np.concatenate(
        [np.arange(s, min(s + length, reader.n_frames)) for s in starts.tolist()]
    )
    frames = np.empty((len(number), height // factor, width // factor), np.float32)
    held, block = -1, None
    for k, frame in enumerate(number.tolist()):
        index = int(np.searchsorted(reader.block_first, frame, side="right")) - 1
        if block is None or index != held:
            held, block = index, reader.block(index)
        small = shrunk(block.frames[frame - block.first], factor)
        frames[k] = small * np.float32(scale) + np.float32(offset)
    burst = np.searchsorted(starts, number, side="right") - 1
    return Sample(frames, number, reader.time_s[number], burst, factor)
