"""The fused kernel: one frame of the file to one frame of the plume, in few passes over it.

The steps are linear but for the transfer's exponent, so they fold: with v the exponent applied to
the raw numbers, R the (turned) area mean and m the background of v,

    stored = (((gain * R(v) + bias) - (gain * R(m) + bias) - zero) / (one - zero) - offset) / scale
           = factor * R(v) + shift

with one factor and one image `shift`, computed once. Per frame there remain: a conversion to float
(with the exponent), the area mean, and one multiply-add with rounding and saturation. The chain of
the steps' `plain` functions is the definition, and the tests compare the two.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import cv2
import numpy as np

from plumenav.config.normalization import Calibration
from plumenav.normalization.geometry import Geometry
from plumenav.normalization.steps import resample
from plumenav.normalization.steps.storage import Code
from plumenav.normalization.steps.transfer import Inverse

Shrink = Callable[[np.ndarray], np.ndarray]
# Beyond this many stored steps the conversion to integers would wrap around: clip in float first.
SAFE_STEPS = 1e8


class Stored(NamedTuple):
    """How many pixels of one frame were clipped, at the low and at the high end."""

    low: int
    high: int


def work_type(source: np.dtype) -> np.dtype:
    """float32 where it holds the source's numbers exactly (float32 itself included), else float64.

    Examples
    --------
    >>> work_type(np.dtype("uint16")), work_type(np.dtype("int32"))
    (dtype('float32'), dtype('float64'))
    """
    exact = source.itemsize <= 2 or source == np.float32
    return np.dtype(np.float32 if exact else np.float64)


def contiguous(turned: np.ndarray) -> np.ndarray:
    """A turned view of an image in C order.

    (What numpy.ascontiguousarray gives, but with cv2's blockwise transposition, which is several
    times faster on large images.)
    """
    backwards = tuple(slice(None, None, -1 if step < 0 else 1) for step in turned.strides)
    forwards = turned[backwards]
    if forwards.strides[0] < forwards.strides[1]:
        forwards = cv2.transpose(forwards.T)
    # cv2 names the axis that stays: 0 reverses rows, 1 columns, -1 both
    flip = {(False, False): None, (True, False): 0, (False, True): 1, (True, True): -1}[
        (backwards[0].step < 0, backwards[1].step < 0)
    ]
    if flip is not None:
        forwards = cv2.flip(forwards, flip)
    return np.ascontiguousarray(forwards)


class Kernel:
    """From raw frames to stored frames.

    Parameters
    ----------
    inverse : Inverse
        Of the transfer.
    shape : Geometry
    calibration : Calibration
    code : Code
    background : ndarray, shape of the window, float64, or None
        Combined plume-free image, before the gain of the transfer.
    source : dtype
        Of the recording.
    """

    def __init__(
        self,
        inverse: Inverse,
        shape: Geometry,
        calibration: Calibration,
        code: Code,
        background: np.ndarray | None,
        source: np.dtype,
    ) -> None:
        self._inverse, self._shape, self._code = inverse, shape, code
        self.work = work_type(source)
        r0, r1, c0, c1 = shape.window
        self._rows, self._columns = slice(r0, r1), slice(c0, c1)
        self._shrink = self._shrinker(self.work)
        gain = inverse.gain / (calibration.one - calibration.zero)
        self._factor = gain / code.scale
        self._shift = self._shift_image(background, gain, calibration).astype(self.work)
        self._largest_shift = float(np.abs(self._shift).max())

    def _shift_image(
        self, background: np.ndarray | None, gain: float, calibration: Calibration
    ) -> np.ndarray:
        zero, one, code = calibration.zero, calibration.one, self._code
        if background is None:
            empty = (self._inverse.bias - zero) / (one - zero)
            concentration = np.full((self._shape.grid.height, self._shape.grid.width), empty)
        else:
            concentration = -gain * self._reduce(
                background, self._shrinker(np.dtype(np.float64))
            ) - zero / (one - zero)
        return (concentration - code.offset) / code.scale

    def _shrinker(self, work: np.dtype) -> Shrink:
        """Area mean of images of the window (turned, if turning comes first)."""
        r0, r1, c0, c1 = self._shape.window
        blank = np.broadcast_to(np.uint8(0), (r1 - r0, c1 - c0))
        height, width = (self._shape.orient(blank) if self._shape.turn_first else blank).shape
        return resample.shrinker(height, width, self._shape.ratio, work)

    def _reduce(self, values: np.ndarray, shrink: Shrink) -> np.ndarray:
        """Area means of an image of the window, turned."""
        if self._shape.turn_first:
            return shrink(contiguous(self._shape.orient(values)))
        return self._shape.orient(shrink(values))

    def window(self, raw: np.ndarray) -> np.ndarray:
        """Pixels of a raw frame that are used (a view)."""
        return raw[self._rows, self._columns]

    def reduce(self, raw: np.ndarray) -> np.ndarray:
        """Area means of a raw frame after the transfer's exponent, turned.

        Parameters
        ----------
        raw : ndarray, shape (height, width) of the file

        Returns
        -------
        ndarray, shape of the plume, float32 or float64
            Linear in concentration, so that frames may be interpolated in time here.
        """
        values = self._inverse.shape(self.window(raw))
        return contiguous(self._reduce(values, self._shrink))

    def store(self, reduced: np.ndarray, out: np.ndarray) -> Stored:
        """Write one frame as stored numbers.

        Parameters
        ----------
        reduced : ndarray
            From :meth:`reduce`.
        out : ndarray, same shape, stored type, C order
            Written in place.

        Returns
        -------
        Stored
            Clip counts.
        """
        lowest, highest = self._code.lowest, self._code.highest
        if lowest is None or highest is None:
            np.multiply(reduced, self.work.type(self._factor), out=reduced)
            np.add(reduced, self._shift, out=out, casting="same_kind")
            return Stored(0, 0)
        least, most, _, _ = cv2.minMaxLoc(reduced)
        if abs(self._factor) * max(-least, most) + self._largest_shift > SAFE_STEPS:
            return self._store_clipped(reduced, out, lowest, highest)
        cv2.addWeighted(
            reduced, self._factor, self._shift, 1.0, 0.0, dst=out, dtype=_CV_DEPTH[out.dtype.name]
        )
        # counting costs a pass over the floats: only where the ends of the scale were reached
        smallest, largest, _, _ = cv2.minMaxLoc(out)
        if smallest > lowest and largest < highest:
            return Stored(0, 0)
        return self._count(reduced, lowest, highest)

    def _steps(self, reduced: np.ndarray) -> np.ndarray:
        return np.asarray(reduced * self.work.type(self._factor) + self._shift)

    def _count(self, reduced: np.ndarray, lowest: int, highest: int) -> Stored:
        steps = self._steps(reduced)
        return Stored(
            int(np.count_nonzero(steps < lowest - 0.5)),
            int(np.count_nonzero(steps > highest + 0.5)),
        )

    def _store_clipped(
        self, reduced: np.ndarray, out: np.ndarray, lowest: int, highest: int
    ) -> Stored:
        out[...] = np.rint(np.clip(self._steps(reduced), lowest, highest)).astype(out.dtype)
        return self._count(reduced, lowest, highest)


_CV_DEPTH = {"uint8": cv2.CV_8U, "uint16": cv2.CV_16U, "int16": cv2.CV_16S}
