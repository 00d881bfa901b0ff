"""The fused kernel: one frame of the file to one frame of the plume, in few passes over it.

The steps are linear but for the transfer's exponent, so they fold: with v the exponent applied to
the raw numbers, R the area mean (turned) and m the background of v,

    stored = (((gain * R(v) + bias) - (gain * R(m) + bias) - zero) / (one - zero)
              - offset) / scale
           = factor * R(v) + shift

with one factor and one image `shift`, computed once (with inverted polarity, gain and bias change
sign). Per frame there remain: a conversion to float (with the exponent), the area mean, and one
multiply-add with rounding and saturation. Steps that need every pixel (:mod:`.chain`) come before
R; then gain, bias and background are theirs. The chain of the steps' `plain` functions is the
definition, and the tests compare the two.
"""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np

from plumenav.normalization.chain import Chain
from plumenav.normalization.geometry import Geometry
from plumenav.normalization.steps import mask
from plumenav.normalization.steps.calibration import Points
from plumenav.normalization.steps.storage import Code
from plumenav.normalization.steps.transfer import Inverse

# Beyond this many stored steps the conversion to integers would wrap around: clip in float first.
SAFE_STEPS = 1e8

Patch = tuple[slice, slice]


class Stored(NamedTuple):
    """How many pixels of one frame were clipped, at the low and at the high end."""

    low: int
    high: int


class Signals(NamedTuple):
    """From raw frames to odour signals, before geometry and calibration.

    Attributes
    ----------
    inverse : Inverse
        Of the transfer.
    chain : Chain
    rolling : bool
        True: every frame brings its own background.
    empty : ndarray, shape of the window, float64, or None
        Constant background, before the gain of the transfer.
    patch : tuple of slice, or None
        Clean air whose mean is brought to 0 in every frame.
    clean : float
        Signal of clean air, after that: what masked pixels become.
    """

    inverse: Inverse
    chain: Chain
    rolling: bool
    empty: np.ndarray | None
    patch: Patch | None
    clean: float

    @property
    def folds(self) -> bool:
        """True if nothing has to be done to every pixel of the file but the transfer."""
        return self.chain.trivial and not self.rolling

    def linear(self, values: np.ndarray) -> np.ndarray:
        """Linear intensity of values after the transfer's exponent; same type."""
        kind = values.dtype.type
        return np.asarray(values * kind(self.inverse.gain) + kind(self.inverse.bias))

    def background(self, empty: np.ndarray | None, work: np.dtype) -> np.ndarray | float:
        """The background of a frame as linear intensity; 0 if there is none."""
        used = self.empty if empty is None else empty
        return 0.0 if used is None else self.linear(used).astype(work)

    def of_window(self, window: np.ndarray, empty: np.ndarray | None) -> np.ndarray:
        """Odour signal of the used part of one raw frame, noise floor removed; the long way."""
        values = self.inverse.shape(window)
        odour = self.chain.odour(self.linear(values), self.background(empty, values.dtype))
        return mask.plain(odour - self.floor(odour), self.chain.keep, self.clean)

    def floor(self, odour: np.ndarray) -> float:
        """Mean of the clean air of one odour signal; 0 where none is declared."""
        return 0.0 if self.patch is None else float(odour[self.patch].mean(dtype=np.float64))


class Kernel:
    """From raw frames to stored frames.

    Parameters
    ----------
    signals : Signals
    shape : Geometry
    points : Points
        Of the calibration.
    code : Code
    work : dtype
        float32 or float64: type to compute in.
    """

    def __init__(
        self, signals: Signals, shape: Geometry, points: Points, code: Code, work: np.dtype
    ) -> None:
        self._signals, self._shape, self._code, self.work = signals, shape, code, work
        r0, r1, c0, c1 = shape.window
        self._rows, self._columns = slice(r0, r1), slice(c0, c1)
        self._reduce = shape.reducer(work)
        gain, bias, empty = 1.0, 0.0, None
        if signals.folds:
            sign = -1.0 if signals.chain.polarity == "dark" else 1.0
            gain, bias = sign * signals.inverse.gain, sign * signals.inverse.bias
            empty = signals.empty
        self._empty_floor = 0.0
        if signals.patch is not None and empty is not None:
            self._empty_floor = float(empty[signals.patch].mean())
        self._factor = points.factor * gain / code.scale
        if empty is not None:
            turned = shape.reducer(np.dtype(np.float64))(empty)
            concentration = -points.factor * (gain * turned + points.zero)
        else:
            # with a noise floor removed, the bias has gone with it
            kept = bias if signals.patch is None else 0.0
            size = (shape.grid.height, shape.grid.width)
            concentration = np.full(size, points.factor * (kept - points.zero))
        self._shift = ((concentration - code.offset) / code.scale).astype(work)
        self._largest_shift = float(np.abs(self._shift).max())

    def window(self, raw: np.ndarray) -> np.ndarray:
        """Pixels of a raw frame that are used (a view)."""
        return raw[self._rows, self._columns]

    def reduce(self, raw: np.ndarray, empty: np.ndarray | None = None) -> np.ndarray:
        """Area means of a raw frame, turned, before calibration.

        Parameters
        ----------
        raw : ndarray, shape (height, width) of the file
        empty : ndarray, shape of the window, float64, or None
            Rolling background at this frame.

        Returns
        -------
        ndarray, shape of the plume, float32 or float64
            Linear in concentration, so that frames may be interpolated in time here.
        """
        signals, window = self._signals, self.window(raw)
        if not signals.folds:
            return self._reduce(signals.of_window(window, empty))
        values = signals.inverse.shape(window)
        reduced = self._reduce(values)
        if signals.patch is not None:
            floor = float(values[signals.patch].mean(dtype=np.float64)) - self._empty_floor
            # not in place: without any change of size these are the values themselves
            reduced = reduced - self.work.type(floor)
        return reduced

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
            # not in place: `reduced` may be the recording itself
            steps = np.multiply(reduced, self.work.type(self._factor))
            np.add(steps, self._shift, out=out, casting="same_kind")
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


def work_type(source: np.dtype) -> np.dtype:
    """float32 where it holds the source's numbers exactly (float32 itself included), else float64.

    Examples
    --------
    >>> work_type(np.dtype("uint16")), work_type(np.dtype("int32"))
    (dtype('float32'), dtype('float64'))
    """
    exact = source.itemsize <= 2 or source == np.float32
    return np.dtype(np.float32 if exact else np.float64)
