"""One pass over a recording, forwards: counts, time stamps, intensities, small images to look at.

Memory does not grow with the movie: images are kept averaged to at most 240 pixels a side, the
first 300 of them in a row, and at most 64 spread over everything that was read.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import NamedTuple

import cv2
import numpy as np

from plumenav.errors import UserError
from plumenav.recordings._contract import Facts, Frames, Recording

EARLY_FRAMES = 300
SPREAD_FRAMES = 64
SMALL_PX = 240
FLOAT_SAMPLES = 2_000_000
PAIR_EVERY = 4
CELL_PX = 8
QUIET_PERCENT = 10.0  # of the cells of an image, those that change least
# Where there is only noise, that cell's mean square is this share of the variance: the tenth
# percentile of chi-square with 64 degrees of freedom, by 64.
QUIET_BIAS = 0.781


class Levels(NamedTuple):
    """Intensities as they are in the file.

    Attributes
    ----------
    minimum, maximum, mean : float
    percentiles : dict
        {percent: intensity}; of floats from a sample of the pixels.
    saturated : float or None
        Share of pixel-frames at the largest number that the type can hold; None for floats.
    at_maximum : float
        Share of pixel-frames at the largest number met.
    not_finite : int
        Pixel-frames that are not numbers, or infinite.
    multiple_of : int or None
        Largest whole number that divides all levels; None for floats.
    """

    minimum: float
    maximum: float
    mean: float
    percentiles: dict[float, float]
    saturated: float | None
    at_maximum: float
    not_finite: int
    multiple_of: int | None


class Measured(NamedTuple):
    """What one pass found.

    Attributes
    ----------
    frames : int
        Frames that arrived.
    complete : bool
        True if the file ended; False if the pass stopped before.
    time_s : ndarray, shape (frames,), or None
        The file's own stamps.
    levels : Levels
    repeated : int
        Frames that equal the one before, pixel by pixel.
    noise_sd : float or None
        Noise of a pixel, from what changes between neighbouring frames where least changes; None if
        nothing changes anywhere.
    early : ndarray, shape (n, height, width), float32
        The first frames, small.
    spread : ndarray, shape (n, height, width), float32
        Frames spread evenly over all that were read, small.
    shrink : int
        Edge of a small pixel in pixels of the file.
    """

    frames: int
    complete: bool
    time_s: np.ndarray | None
    levels: Levels
    repeated: int
    noise_sd: float | None
    early: np.ndarray
    spread: np.ndarray
    shrink: int


PERCENTS = (0.1, 1.0, 5.0, 50.0, 95.0, 99.0, 99.9)


def small(frame: np.ndarray, shrink: int) -> np.ndarray:
    """A frame averaged over squares of pixels, float32; what does not fill a square is left out."""
    height, width = (size // shrink for size in frame.shape)
    part = frame[: height * shrink, : width * shrink].astype(np.float32)
    if shrink == 1:
        return part
    return np.asarray(cv2.resize(part, (width, height), interpolation=cv2.INTER_AREA))


class _Integers:
    """Counts of all levels."""

    def __init__(self, dtype: np.dtype, bits: int) -> None:
        info = np.iinfo(dtype)
        self._lowest = int(info.min)
        self._full = min(int(info.max), 2**bits - 1) if dtype.kind == "u" else int(info.max)
        self._counts = np.zeros(int(info.max) - self._lowest + 1, np.int64)

    def add(self, frames: np.ndarray) -> None:
        flat = frames.reshape(-1)
        if self._lowest:
            flat = flat.astype(np.int32) - self._lowest
        counts = np.bincount(flat, minlength=len(self._counts))
        self._counts += counts

    def levels(self) -> Levels:
        met = np.flatnonzero(self._counts)
        values, counts = met + self._lowest, self._counts[met]
        total = int(counts.sum())
        below = np.cumsum(counts)
        at = np.searchsorted(below, [max(1.0, p / 100 * total) for p in PERCENTS])
        return Levels(
            minimum=float(values[0]),
            maximum=float(values[-1]),
            mean=float((values * counts).sum() / total),
            percentiles={p: float(values[i]) for p, i in zip(PERCENTS, at, strict=True)},
            saturated=float(counts[values >= self._full].sum() / total),
            at_maximum=float(counts[-1] / total),
            not_finite=0,
            multiple_of=int(np.gcd.reduce(values)) or None,
        )


class _Floats:
    """Extremes and mean of everything, percentiles of a sample that is thinned out as it grows."""

    def __init__(self) -> None:
        self._kept: list[np.ndarray] = []
        self._stride, self._n, self._sum, self._not_finite = 1, 0, 0.0, 0
        self._low, self._high, self._at_high = np.inf, -np.inf, 0

    def add(self, frames: np.ndarray) -> None:
        flat = frames.reshape(-1)
        finite = flat[np.isfinite(flat)]
        self._not_finite += len(flat) - len(finite)
        if not len(finite):
            return
        self._n += len(finite)
        self._sum += float(finite.sum(dtype=np.float64))
        self._low = min(self._low, float(finite.min()))
        high = float(finite.max())
        at_high = int(np.count_nonzero(finite == high))
        if high >= self._high:
            self._at_high = at_high + (self._at_high if high == self._high else 0)
            self._high = high
        self._kept.append(finite[:: self._stride].astype(np.float32))
        if sum(map(len, self._kept)) > FLOAT_SAMPLES:
            self._kept = [np.concatenate(self._kept)[::3]]
            self._stride *= 3

    def levels(self) -> Levels:
        if not self._n:
            nan = float("nan")
            none = dict.fromkeys(PERCENTS, nan)
            return Levels(nan, nan, nan, none, None, 0.0, self._not_finite, None)
        found = np.percentile(np.concatenate(self._kept), PERCENTS)
        return Levels(
            minimum=self._low,
            maximum=self._high,
            mean=self._sum / self._n,
            percentiles=dict(zip(PERCENTS, found.tolist(), strict=True)),
            saturated=None,
            at_maximum=self._at_high / self._n,
            not_finite=self._not_finite,
            multiple_of=None,
        )


class _Changes:
    """What changes from one frame to the next: repeated frames, and noise where least changes."""

    def __init__(self) -> None:
        self._before: np.ndarray | None = None
        self._sds: list[float] = []
        self.repeated = 0
        self._n = 0

    def add(self, frames: np.ndarray) -> None:
        for frame in frames:
            if self._before is not None:
                same = bool(np.array_equal(frame, self._before))
                self.repeated += same
                if not same and self._n % PAIR_EVERY == 0:
                    self._sds.append(_quiet_change(self._before, frame))
            self._before = frame
            self._n += 1

    def noise_sd(self) -> float | None:
        return float(np.median(self._sds)) if self._sds else None


def _quiet_change(before: np.ndarray, after: np.ndarray) -> float:
    """Standard deviation of noise, from two frames.

    The root mean square of their change where it is small, divided by the root of 2 because both
    are noisy.
    """
    change = np.square(after.astype(np.float32) - before.astype(np.float32))
    height, width = (max(1, size // CELL_PX) for size in change.shape)
    power = cv2.resize(change, (width, height), interpolation=cv2.INTER_AREA)
    quiet = float(np.percentile(power, QUIET_PERCENT))
    return math.sqrt(quiet / QUIET_BIAS / 2)


class _Spread:
    """At most SPREAD_FRAMES small frames, evenly over a movie of unknown length."""

    def __init__(self) -> None:
        self.kept: list[np.ndarray] = []
        self._stride = 1

    def add(self, number: int, frame: np.ndarray, shrink: int) -> None:
        if number % self._stride:
            return
        if len(self.kept) == SPREAD_FRAMES:
            self.kept = self.kept[::2]
            self._stride *= 2
            if number % self._stride:
                return
        self.kept.append(small(frame, shrink))


def _limited(opened: Recording, limit: int | None) -> Iterator[tuple[Frames, bool]]:
    """Blocks of at most `limit` frames together, each with whether more would have come.

    Where the file promises more frames than are asked for, only those have to be sound; otherwise
    it is read to its end, so that a file that ends early is noticed.
    """
    promised = opened.facts.frames_header
    sure = limit is not None and promised is not None and limit < promised
    n = 0
    for block in opened.blocks(0, limit if sure else None):
        left = len(block.frames) if limit is None else limit - n
        if left < len(block.frames):
            stamps = None if block.time_s is None else block.time_s[:left]
            yield Frames(block.first, stamps, block.frames[:left]), True
            return
        n += len(block.frames)
        yield block, sure


def measure(opened: Recording, limit: int | None) -> Measured:
    """Read a recording from its start and measure it.

    Parameters
    ----------
    opened : Recording
    limit : int or None
        Frames to read; None: all.

    Returns
    -------
    Measured

    Raises
    ------
    DamageError, UserError
        From the reader, if the file cannot be read that far; if it has no frame.
    """
    facts: Facts = opened.facts
    dtype = np.dtype(facts.dtype)
    shrink = -(-max(facts.height, facts.width) // SMALL_PX)
    shrink = max(1, min(shrink, facts.height, facts.width))
    integers = dtype.kind in "ui" and dtype.itemsize <= 2
    levels: _Integers | _Floats = _Integers(dtype, facts.bits) if integers else _Floats()
    changes, spread = _Changes(), _Spread()
    early: list[np.ndarray] = []
    stamps: list[np.ndarray] = []
    n, more = 0, False
    for block, more in _limited(opened, limit):  # noqa: B007 - the last one is what counts
        levels.add(block.frames)
        changes.add(block.frames)
        for frame in block.frames:
            if len(early) < EARLY_FRAMES:
                early.append(small(frame, shrink))
            spread.add(n, frame, shrink)
            n += 1
        if block.time_s is not None:
            stamps.append(block.time_s)
    if n == 0:
        raise UserError("the recording", "holds no frame", "at least one frame")
    return Measured(
        frames=n,
        complete=not more,
        time_s=np.concatenate(stamps) if stamps else None,
        levels=levels.levels(),
        repeated=changes.repeated,
        noise_sd=changes.noise_sd(),
        early=np.stack(early),
        spread=np.stack(spread.kept),
        shrink=shrink,
    )
