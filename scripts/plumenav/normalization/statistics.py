"""Running statistics of a plume while it is written: a histogram, and maps over all frames."""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np

from plumenav.normalization.steps.storage import Code

# cv2 counts in float32, which is exact up to here.
EXACT_COUNTS = 2**24
FLOAT_BINS = 65536
# Frame-to-frame noise is measured on one pair of neighbours in so many frames, in square cells.
PAIR_EVERY = 16
CHANGE_CELL_PX = 8
QUIET = 10.0  # percentile of cells that are taken as noise


class Maps(NamedTuple):
    """Per-pixel statistics over frames, in concentration.

    Attributes
    ----------
    n : int
        Frames.
    mean, sd, largest : ndarray, shape (height, width), float64
    """

    n: int
    mean: np.ndarray
    sd: np.ndarray
    largest: np.ndarray


class Histogram(NamedTuple):
    """Counts of pixel-frames by concentration.

    Attributes
    ----------
    values : ndarray, float64
        Concentration of each bin, rising.
    counts : ndarray, int64
    """

    values: np.ndarray
    counts: np.ndarray

    def percentile(self, fraction: float) -> float:
        """Smallest value that at least this fraction of pixel-frames do not exceed.

        (numpy's ``inverted_cdf``: exact for stored integers.)
        """
        below = np.cumsum(self.counts)
        rank = max(1, int(np.ceil(fraction * below[-1] - 1e-9)))
        return float(self.values[np.searchsorted(below, rank)])

    def fraction_above(self, limit: float) -> float:
        """Fraction of pixel-frames above a concentration."""
        return float(self.counts[self.values > limit].sum() / self.counts.sum())


class _Sums:
    """Sums of frames and of their squares."""

    def __init__(self, height: int, width: int) -> None:
        self.n = 0
        self.total = np.zeros((height, width), np.float64)
        self.squares = np.zeros((height, width), np.float64)

    def add(self, frame: np.ndarray) -> None:
        self.n += 1
        cv2.accumulate(frame, self.total)
        cv2.accumulateSquare(frame, self.squares)


class Statistics:
    """Statistics of stored frames, block by block, in memory of a few frames.

    Parameters
    ----------
    height, width : int
    code : Code
        How concentration is stored.
    float_range : tuple of float
        Concentrations between which floats are binned (65536 bins; values outside count in the
        outermost ones).
    blank_frames : tuple of int or None
        [first, end) frames over which noise is measured; None: all.
    """

    def __init__(
        self,
        height: int,
        width: int,
        code: Code,
        float_range: tuple[float, float],
        blank_frames: tuple[int, int] | None,
    ) -> None:
        self._code, self._blank_frames = code, blank_frames
        self.n_frames = 0
        if code.lowest is None or code.highest is None:
            low, high = float_range
            step = (high - low) / FLOAT_BINS
            self._range, self._levels = (low, high), FLOAT_BINS
            self._values = low + (np.arange(FLOAT_BINS) + 0.5) * step
            self._scale, self._offset = 1.0, 0.0
        else:
            self._levels = code.highest - code.lowest + 1
            self._range = (0.0, float(self._levels))
            self._scale, self._offset = code.scale, code.lowest * code.scale + code.offset
            self._values = np.arange(self._levels) * self._scale + self._offset
        self._counts = np.zeros(self._levels, np.int64)
        self._all = _Sums(height, width)
        self._blank = _Sums(height, width) if blank_frames else self._all
        self._largest: np.ndarray | None = None
        self._extremes = (np.inf, -np.inf)
        self._early: np.ndarray | None = None
        self._changes: list[float] = []

    def _as_levels(self, block: np.ndarray) -> np.ndarray:
        """Stored numbers counted from the smallest possible one (a view where that is 0)."""
        if block.dtype == np.int16:
            # two's complement: flipping the sign bit counts from the smallest number
            return block.view(np.uint16) ^ np.uint16(0x8000)
        return block

    def update(self, block: np.ndarray) -> None:
        """Count consecutive frames, shape (n, height, width), C order, stored type."""
        levels = self._as_levels(block)
        at_once = max(1, EXACT_COUNTS // levels[0].size)
        for start in range(0, len(levels), at_once):
            self._count(levels[start : start + at_once])
        if self._largest is None:
            self._largest = levels[0].copy()
        for frame in levels:
            np.maximum(self._largest, frame, out=self._largest)
            self._all.add(frame)
            self._compare(frame)
            if (
                self._blank_frames
                and self._blank_frames[0] <= self.n_frames < self._blank_frames[1]
            ):
                self._blank.add(frame)
            self.n_frames += 1

    def _compare(self, frame: np.ndarray) -> None:
        """How much the quietest cells change between two neighbouring frames, now and then."""
        turn = self.n_frames % PAIR_EVERY
        if turn == 0:
            self._early = frame.copy()
        elif turn == 1 and self._early is not None:
            change = cv2.absdiff(frame, self._early).astype(np.float32)
            # a frame that was merely repeated says nothing of noise
            if change.any():
                height, width = (max(1, size // CHANGE_CELL_PX) for size in change.shape)
                if min(change.shape) >= CHANGE_CELL_PX:
                    change = change[: height * CHANGE_CELL_PX, : width * CHANGE_CELL_PX]
                power = cv2.resize(np.square(change), (width, height), interpolation=cv2.INTER_AREA)
                # the difference of two samples has twice the variance of one
                self._changes.append(float(np.percentile(power, QUIET) / 2) ** 0.5)

    def change_sd(self) -> float | None:
        """Standard deviation of noise, from what changes between neighbouring frames.

        The quietest tenth of the cells ignores a plume that moves through all but that much
        of the image, the lower quartile over frames one that comes and goes.

        Returns
        -------
        float or None
            Concentration; None if no two neighbours differ.
        """
        if not self._changes:
            return None
        return float(np.percentile(self._changes, 25)) * self._scale

    def _count(self, levels: np.ndarray) -> None:
        image = levels.reshape(-1, levels.shape[-1])
        low, high = self._range
        if levels.dtype == np.float32:
            least, most = float(image.min()), float(image.max())
            self._extremes = (min(self._extremes[0], least), max(self._extremes[1], most))
            top = np.nextafter(np.float32(high), np.float32(low))
            image = np.clip(image, np.float32(low), top)
        counts = cv2.calcHist([image], [0], None, [self._levels], [low, high])
        self._counts += counts.ravel().astype(np.int64)

    def histogram(self) -> Histogram:
        """Counts by concentration."""
        return Histogram(self._values, self._counts)

    def extremes(self) -> tuple[float, float]:
        """Smallest and largest concentration."""
        if np.isfinite(self._extremes[0]):
            return self._extremes
        met = self._values[self._counts > 0]
        return float(met[0]), float(met[-1])

    def mean(self) -> float:
        """Mean concentration of all pixel-frames."""
        mean = self._all.total.sum() / (self._all.n * self._all.total.size)
        return float(mean * self._scale + self._offset)

    def _maps(self, sums: _Sums) -> Maps:
        assert self._largest is not None
        # in place: a map of doubles is eight times as large as a frame of 8 bits
        mean, sd = sums.total / sums.n, sums.squares / sums.n
        sd -= mean**2
        np.sqrt(np.maximum(0.0, sd, out=sd), out=sd)
        largest = np.multiply(self._largest, self._scale, dtype=np.float64)
        for image, shift in ((mean, self._offset), (sd, None)):
            image *= self._scale
            if shift is not None:
                image += shift
        largest += self._offset
        return Maps(sums.n, mean, sd, largest)

    def maps(self) -> Maps:
        """Per-pixel statistics over all frames."""
        return self._maps(self._all)

    def noise(self, rows: tuple[int, int], columns: tuple[int, int]) -> tuple[float, float]:
        """Mean and standard deviation of all pixel-frames of a rectangle in the blank frames.

        The deviation is over space and time together, from the mean of the rectangle.
        """
        maps = self._maps(self._blank)
        part = (slice(*rows), slice(*columns))
        mean = float(maps.mean[part].mean())
        variance = float((maps.sd[part] ** 2 + (maps.mean[part] - mean) ** 2).mean())
        return mean, variance**0.5
