"""Fidelity: the plume sent back through its own chain must be the recording that it came from.

(Correlating plume and recording directly would punish the subtraction of a background, and reward
doing nothing.) Measured on evenly spread frames, together with what the change of geometry did to
the total concentration.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import cv2
import numpy as np

from plumenav import world
from plumenav.config.normalization import Transfer
from plumenav.normalization.geometry import Geometry
from plumenav.normalization.kernel import Signals
from plumenav.normalization.spread import Spread
from plumenav.normalization.steps import mask, resample, transfer
from plumenav.normalization.steps.calibration import Points
from plumenav.normalization.steps.storage import Code

# Bytes of raw and stored frames that are kept, and how many at most.
KEPT_BYTES, MOST = 48 * 2**20, 24
FEWEST = 4
# A total that is less than this part of the sum of absolute values is noise: no ratio is told.
LEAST_TOTAL = 0.01


class Pair(NamedTuple):
    """One frame of the recording (window), its background if that rolls, and what was stored."""

    raw: np.ndarray
    empty: np.ndarray | None
    stored: np.ndarray


class Samples:
    """Evenly spread pairs of a movie, in bounded memory.

    Parameters
    ----------
    pair_bytes : int
        Bytes of one pair.
    """

    def __init__(self, pair_bytes: int) -> None:
        # between half of the limit and all of it are kept, see Spread
        limit = int(np.clip(KEPT_BYTES // max(1, pair_bytes), FEWEST, MOST))
        self._spread: Spread[Pair] = Spread(limit)

    @property
    def pairs(self) -> list[Pair]:
        """The pairs kept."""
        return self._spread.kept

    def look(self, raw: np.ndarray, empty: np.ndarray | None, stored: np.ndarray) -> None:
        """Take notice of the next frame; copies it if it is one of those kept."""
        if self._spread.wants():
            self._spread.add(Pair(raw.copy(), empty, stored.copy()))


class _Correlation:
    """Pearson r of pairs of images, pooled, per frame, and of what changes in each pixel."""

    def __init__(self) -> None:
        self.each: list[float] = []
        self._n = self._frames = 0
        self._x = self._y = self._xx = self._yy = self._xy = 0.0
        self._pixel_x: np.ndarray | None = None
        self._pixel_y: np.ndarray | None = None

    def add(self, x: np.ndarray, y: np.ndarray) -> None:
        sums = (x.sum(), y.sum(), x @ x, y @ y, x @ y)
        self.each.append(_pearson(x.size, *sums))
        self._n += x.size
        self._frames += 1
        self._x, self._y = self._x + sums[0], self._y + sums[1]
        self._xx, self._yy, self._xy = self._xx + sums[2], self._yy + sums[3], self._xy + sums[4]
        if self._pixel_x is None or self._pixel_y is None:
            self._pixel_x, self._pixel_y = np.zeros_like(x), np.zeros_like(y)
        self._pixel_x += x
        self._pixel_y += y

    def pooled(self) -> float:
        return _pearson(self._n, self._x, self._y, self._xx, self._yy, self._xy)

    def moving(self) -> float:
        """r after each pixel's own mean over the frames is taken away."""
        assert self._pixel_x is not None
        assert self._pixel_y is not None
        x, y, n = self._pixel_x, self._pixel_y, self._frames
        own = (self._xx - x @ x / n, self._yy - y @ y / n, self._xy - x @ y / n)
        return _ratio(own[2], own[0], own[1])


def _pearson(n: int, x: float, y: float, xx: float, yy: float, xy: float) -> float:
    return _ratio(xy - x * y / n, xx - x * x / n, yy - y * y / n)


def _ratio(covariance: float, one: float, other: float) -> float:
    """r; two constants agree (1), a constant and something else do not (0)."""
    if one <= 0 or other <= 0:
        return 1.0 if one <= 0 and other <= 0 else 0.0
    return float(covariance / np.sqrt(one * other))


def coverage(shape: Geometry) -> np.ndarray:
    """Share of each pixel of the window that went into the plume, 0 to 1, float32."""
    if shape.direction is None:
        row, column = shape.locate()
        grid = shape.grid
        inside = (row >= -0.5) & (row < grid.height - 0.5)
        inside &= (column >= -0.5) & (column < grid.width - 0.5)
        return inside.astype(np.float32)
    height, width = shape.shape
    if world.QUARTER_TURNS[shape.direction] % 2 == 1:
        height, width = width, height
    rows, columns = (
        resample.weights(size, ratio).sum(axis=0) * ratio
        for size, ratio in zip((height, width), shape.ratios, strict=True)
    )
    share = np.outer(rows, columns).astype(np.float32)
    return world.unorient_image(share, shape.direction, shape.mirrored)


def _signal(stored: np.ndarray, points: Points, code: Code) -> np.ndarray:
    """Odour signal of a stored frame: its concentration before calibration."""
    signal = stored * code.scale
    signal += code.offset
    signal /= points.factor
    signal += points.zero
    return np.asarray(signal)


def measure(
    pairs: list[Pair],
    shape: Geometry,
    signals: Signals,
    points: Points,
    code: Code,
    camera: Transfer,
) -> dict[str, Any]:
    """What is left of the recording in the plume.

    Parameters
    ----------
    pairs : list of Pair
        At least one.
    shape : Geometry
    signals : Signals
    points : Points
    code : Code
    camera : Transfer

    Returns
    -------
    dict
        fidelity : {r, r_min, r_moving, frames}, or None where the transfer has no inverse.
            Correlation of the plume, sent back, with the file's numbers: pooled over frames,
            smallest of one frame, and without each pixel's own mean (shown, not judged: there
            the camera's noise counts fully).
        conservation : {ratio, frames}, or None where there is nothing to conserve.
            Total of concentration times area in the plume, over that in the part of the file that
            became the plume.
    """
    row, column = shape.locate()
    cover = coverage(shape)
    counts = (cover > 0.5) & (signals.chain.keep is None or signals.chain.keep > 0)
    found, total, size, made = _Correlation(), 0.0, 0.0, 0.0
    file_area = shape.pose.view.row_mm * shape.pose.view.column_mm
    possible = True
    for pair in pairs:
        values = signals.inverse.shape(pair.raw)
        empty = signals.background(pair.empty, values.dtype)
        odour = signals.chain.odour(signals.linear(values), empty)
        floor = signals.floor(odour)
        # in place from here on: a large image in doubles is as much as all the pairs together
        covered = mask.plain(odour - floor, signals.chain.keep, signals.clean)
        del odour
        covered *= cover
        total += float(covered.sum(dtype=np.float64)) * file_area
        size += float(np.abs(covered, out=covered).sum(dtype=np.float64)) * file_area
        del covered
        signal = _signal(pair.stored, points, code)
        made += float(signal.sum()) * shape.grid.mm_per_px**2
        back = cv2.remap(
            signal.astype(np.float32, copy=False),
            column,
            row,
            interpolation=cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_REPLICATE,
        )
        del signal
        back += floor
        numbers = transfer.stored(signals.chain.intensity(back, empty), camera)
        del back
        if numbers is None:
            possible = False
            continue
        # a picture in false colour is compared in the numbers that it shows
        source = pair.raw if pair.raw.ndim == 2 else transfer.stored(signals.linear(values), camera)
        numbers = numbers[counts]
        found.add(np.asarray(np.asarray(source)[counts], np.float64), numbers)
    fidelity = None
    if possible:
        fidelity = {
            "r": found.pooled(),
            "r_min": min(found.each),
            "r_moving": found.moving(),
            "frames": len(pairs),
        }
    conserved = None
    if abs(total) > LEAST_TOTAL * size:
        conserved = {"ratio": made / total, "frames": len(pairs)}
    return {"fidelity": fidelity, "conservation": conserved}
