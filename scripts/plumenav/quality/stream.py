"""One pass over all frames of a movie, in memory that does not grow with its length.

(But for a few numbers per frame.) Everything that needs every frame is gathered here: the mean of
each frame, how much it changes to the next and the one after, where and how often there is odour,
durations of whiffs and blanks, and some pixels' time courses.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from plumenav.quality.whiffs import Durations
from plumenav.tables import PlumeReader

# consecutive frames of each stretch of which time courses are kept, and how many stretches
STRETCH_FRAMES = 256
STRETCHES = 12


class Stream(NamedTuple):
    """What one pass over a movie gathers.

    Attributes
    ----------
    frame_mean : ndarray, shape (n,)
        Mean concentration of each frame.
    change_one, change_two : ndarray, shape (n - 1, 2), (n - 2, 2)
        Mean squared change of the watched pixels over one frame and over two: in concentration**2,
        and with each pixel in units of its own standard deviation.
    intermittency, whiff_rate_hz : ndarray, shape (height, width), or None
        Share of frames above the threshold; whiffs that begin per second. None: no threshold.
    durations : Durations or None
        At the watched places.
    stretches : ndarray, shape (segments, frames, places)
        Time courses of the watched places, concentration.
    air : ndarray, shape (frames, places), or None
        Time courses in blank air.
    air_time_s : ndarray, shape (frames,), or None
    """

    frame_mean: np.ndarray
    change_one: np.ndarray
    change_two: np.ndarray
    intermittency: np.ndarray | None
    whiff_rate_hz: np.ndarray | None
    durations: Durations | None
    stretches: np.ndarray
    air: np.ndarray | None
    air_time_s: np.ndarray | None


def above(stored: np.ndarray, level: float) -> np.ndarray:
    """Where stored numbers exceed a level.

    Integers are compared with the level rounded down, which is the same and makes no floating copy.
    """
    if stored.dtype.kind == "f":
        return np.asarray(stored > stored.dtype.type(level))
    limits = np.iinfo(stored.dtype)
    whole = int(np.clip(np.floor(level), limits.min - 1, limits.max))
    if whole < limits.min:
        return np.ones(stored.shape, bool)
    return np.asarray(stored > stored.dtype.type(whole))


class _Stretches:
    """Time courses of some pixels during evenly spaced stretches."""

    def __init__(self, n_frames: int, places: int) -> None:
        length = min(STRETCH_FRAMES, n_frames)
        n = max(1, min(STRETCHES, n_frames // length))
        self.starts = np.linspace(0, n_frames - length, n).round().astype(int)
        self.values = np.zeros((n, length, places), np.float32)

    def add(self, first: int, values: np.ndarray) -> None:
        """Frames from `first` on, shape (n, places)."""
        length = self.values.shape[1]
        for k, start in enumerate(self.starts.tolist()):
            low, high = max(start, first), min(start + length, first + len(values))
            if low < high:
                self.values[k, low - start : high - start] = values[low - first : high - first]


def stream(
    reader: PlumeReader,
    watched: np.ndarray,
    watched_sd: np.ndarray,
    places: np.ndarray,
    threshold: float | None,
    air_pixels: np.ndarray | None,
    air_frames: tuple[int, int],
) -> Stream:
    """Go once through a movie.

    Parameters
    ----------
    reader : PlumeReader
    watched : ndarray of int
        Pixels (of the flat image) whose change is measured.
    watched_sd : ndarray
        Their standard deviations over time, concentration.
    places : ndarray of int
        Pixels in the plume whose whiffs are timed.
    threshold : float or None
        Concentration above which there is odour.
    air_pixels : ndarray of int, or None
        Pixels in blank air.
    air_frames : tuple of int
        [first, end) frames of which their time courses are kept.
    """
    scale, offset = float(reader.metadata["scale"]), float(reader.metadata["offset"])
    level = None if threshold is None else (threshold - offset) / scale
    n = reader.n_frames
    frame_mean = np.empty(n)
    one, two = np.empty((max(n - 1, 0), 2)), np.empty((max(n - 2, 0), 2))
    # columns: plain mean of squares, and mean of squares in units of each pixel's own variance
    weights = np.stack([np.ones(len(watched)), 1.0 / np.maximum(watched_sd, 1e-9) ** 2], axis=1)
    weights *= scale**2 / max(len(watched), 1)
    counts, onsets = np.zeros(reader.shape, np.int64), np.zeros(reader.shape, np.int64)
    before: np.ndarray | None = None
    durations = None if level is None else Durations(len(places))
    stretches = _Stretches(n, len(places))
    air: list[np.ndarray] = []
    last = np.empty((0, len(watched)))
    for block in reader.blocks():
        flat = block.frames.reshape(len(block.frames), -1)
        end = block.first + len(flat)
        frame_mean[block.first : end] = flat.mean(axis=1, dtype=np.float64)
        pixels = np.concatenate([last, flat[:, watched].astype(np.float64)])
        start = block.first - len(last)
        one[start : end - 1] = (pixels[1:] - pixels[:-1]) ** 2 @ weights
        two[start : end - 2] = (pixels[2:] - pixels[:-2]) ** 2 @ weights
        last = pixels[-2:]
        stretches.add(block.first, flat[:, places] * scale + offset)
        if air_pixels is not None:
            low, high = max(air_frames[0], block.first), min(air_frames[1], end)
            if low < high:
                part = flat[low - block.first : high - block.first]
                air.append(part[:, air_pixels] * scale + offset)
        if level is None or durations is None:
            continue
        for frame, time_s in zip(block.frames, block.time_s.tolist(), strict=True):
            odor = above(frame, level)
            counts += odor
            if before is not None:
                onsets += odor & ~before
            before = odor
            durations.update(odor.ravel()[places], time_s)
    if durations is not None:
        durations.finish()
    seconds = float(reader.time_s[-1] - reader.time_s[0])
    known = level is not None and seconds > 0
    return Stream(
        frame_mean * scale + offset,
        one,
        two,
        counts / n if known else None,
        onsets / seconds if known else None,
        durations,
        stretches.values,
        np.concatenate(air) if air else None,
        reader.time_s[air_frames[0] : air_frames[1]] if air else None,
    )
