"""What normalization learns before the first frame is converted: images, backgrounds, calibration.

Each of these looks at the recording once more, from its start, and only as far as it must.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np

from plumenav import guard
from plumenav.config.normalization import Calibration, NoiseFloor
from plumenav.config.recording_files import split_variable
from plumenav.config.recordings import Recording
from plumenav.errors import UserError
from plumenav.normalization import clock, images
from plumenav.normalization.chain import Chain
from plumenav.normalization.extra._contract import Steps
from plumenav.normalization.geometry import Geometry
from plumenav.normalization.kernel import Patch, Signals, work_type
from plumenav.normalization.steps import (
    background,
    calibration,
    false_colour,
    flat_field,
    mask,
    noise_floor,
    polarity,
    transfer,
)
from plumenav.recordings import _contract as readers

FLOAT = np.dtype(np.float64)
# Images that a rolling background may hold; its percentile takes as much again, row by row.
ROLLING_BYTES = 256 * 2**20


class Sources:
    """Images and numbers that the conversion of frames needs.

    Parameters
    ----------
    recording : Recording
    opened : readers.Recording
    shape : Geometry
    companions : mapping
        Files beside the recording, by their config key.
    where : str
        Config key, for messages.
    """

    def __init__(
        self,
        recording: Recording,
        opened: readers.Recording,
        shape: Geometry,
        companions: Mapping[str, Path],
        where: str,
    ) -> None:
        self.settings, self.reader = recording.normalize, recording.reader
        self.opened, self.shape, self._companions = opened, shape, companions
        self.where = f"{where}.normalize"
        transfer.check(self.settings.transfer, f"{self.where}.transfer")
        self.decoder = self._decoder()
        self.dtype = np.dtype(np.float32 if self.decoder else opened.facts.dtype)

    def _decoder(self) -> false_colour.Decoder | None:
        how = self.settings.false_colour
        if how.map is None:
            return None
        where = f"{self.where}.false_colour"
        facts = self.opened.facts
        if facts.channels != 3 or facts.dtype != "uint8":
            raise UserError(
                f"{where}.map",
                f"the recording has {facts.channels} channel of {facts.dtype}",
                "a picture in false colour has 3 channels of 8 bits",
                "Remove the map: this recording holds its numbers as they are.",
            )
        table = self._companions.get("normalize.false_colour.map")
        return false_colour.Decoder(false_colour.palette(how, table, where))

    # ------------------------------------------------------------------------- frames

    def _windows(self, first: int, end: int | None) -> Iterator[np.ndarray]:
        """The used part of raw frames."""
        r0, r1, c0, c1 = self.shape.window
        for block in self.opened.blocks(first, end):
            guard.progress(block.first + len(block.frames))
            for frame in block.frames:
                yield frame[r0:r1, c0:c1]

    def _image(self, key: str, named: str) -> np.ndarray:
        """A companion image of the window, as stored, float64."""
        where = f"{self.where}.{key}"
        _, name = split_variable(named)
        image = images.read_image(self._companions[f"normalize.{key}"], name, where)
        facts = self.opened.facts
        size = (facts.height, facts.width)
        return images.fitted(image, self.shape.window, size, where).astype(np.float64)

    def _average(self, frames: tuple[int, int], inverse: transfer.Inverse, key: str) -> np.ndarray:
        """Mean of frames of the window, after the transfer's exponent."""
        image = background.mean_image(self._windows(*frames), inverse.shape)
        return self._finite(image, key)

    def _finite(self, image: np.ndarray, key: str) -> np.ndarray:
        if not np.isfinite(image).all():
            raise UserError(
                f"{self.where}.{key}",
                "the frames or the image hold values that are not finite numbers",
                "finite numbers",
                "Choose other frames, or repair the recording.",
            )
        return image

    # ------------------------------------------------------------------------- signals

    def inverse(self, work: np.dtype) -> transfer.Inverse:
        """From raw numbers (or colours) to values before the gain of the transfer."""
        found = transfer.inverse(self.settings.transfer, self.dtype, work)
        if self.decoder is None:
            return found
        decoder, shape = self.decoder, found.shape
        return found._replace(shape=lambda colours: shape(decoder(colours)))

    def signals(self, work: np.dtype) -> Signals:
        """The way from raw frames to odour signals."""
        inverse = self.inverse(work)
        flat = self._flat(inverse)
        empty = self._background(inverse)
        how = self.settings.polarity.kind
        rolling = self.settings.background.method == "rolling"
        keep = mask.weights(
            self.settings.mask.polygon,
            self._image("mask.image", self.settings.mask.image)
            if self.settings.mask.image
            else None,
            self.shape.window,
            f"{self.where}.mask",
        )
        patch = noise_floor.patch(
            self.settings.noise_floor, self.shape.window, f"{self.where}.noise_floor"
        )
        if not rolling:
            light = None if empty is None else inverse.gain * empty + inverse.bias
            even = None if light is None else flat_field.plain(light, flat)
            polarity.check(how, even, f"{self.where}.polarity")
        if flat is not None:
            flat = flat_field.Flat(flat.dark.astype(work), flat.gain.astype(work))
        extra = Steps(
            [(one.step, one.parameters) for one in self.settings.extra], f"{self.where}.extra"
        )
        chain = Chain(flat, how, self.settings.despeckle.size_px, extra, keep)
        return Signals(inverse, chain, rolling, empty, patch, self.settings.calibration.zero)

    def _flat(self, inverse: transfer.Inverse) -> flat_field.Flat | None:
        how = self.settings.flat_field
        found: list[np.ndarray | None] = []
        for key, given in (("dark", how.dark), ("flat", how.flat)):
            if given is None:
                found.append(None)
            elif isinstance(given, str):
                raw = self._image(f"flat_field.{key}", given)
                found.append(transfer.plain(raw, self.settings.transfer))
            else:
                values = self._average(given, inverse, f"flat_field.{key}")
                found.append(inverse.gain * values + inverse.bias)
        return flat_field.flat(found[0], found[1], f"{self.where}.flat_field.flat")

    def _background(self, inverse: transfer.Inverse) -> np.ndarray | None:
        """Constant background, before the gain of the transfer; None: none, or it rolls."""
        how = self.settings.background
        if how.method in ("none", "rolling"):
            return None
        if how.method == "image":
            assert how.image is not None
            raw = self._image("background.image", how.image)
            shape = transfer.inverse(self.settings.transfer, FLOAT, FLOAT).shape
            return self._finite(shape(raw), "background.image")
        assert how.frames is not None
        if how.method == "mean":
            return self._average(how.frames, inverse, "background")
        r0, r1, c0, c1 = self.shape.window
        facts, (first, end) = self.opened.facts, how.frames
        pixel_bytes = np.dtype(facts.dtype).itemsize * facts.channels
        image = background.percentile_image(
            lambda rows: (window[rows] for window in self._windows(first, end)),
            inverse.shape,
            r1 - r0,
            (r1 - r0) * (c1 - c0) * pixel_bytes,
            end - first,
            self._percentile(inverse),
        )
        return self._finite(image, "background")

    def _percentile(self, inverse: transfer.Inverse) -> float:
        q = background.percentile_of(self.settings.background)
        assert q is not None
        return q if inverse.gain > 0 else 100.0 - q

    def rolling(self, signals: Signals, ticking: clock.Clock) -> background.Rolling | None:
        """The rolling background with its first window seen; None if there is none."""
        how = self.settings.background
        if how.method != "rolling":
            return None
        assert how.window_s is not None
        kind, flat = self.settings.polarity.kind, signals.chain.flat
        height, width = self.shape.shape
        held = how.samples * height * width * work_type(self.dtype).itemsize
        if held > ROLLING_BYTES:
            raise UserError(
                f"{self.where}.background.samples",
                f"{how.samples} images of {height} x {width} pixels would take"
                f" {held / 2**20:.0f} MB",
                f"at most {ROLLING_BYTES // 2**20} MB",
                "Use fewer samples, or crop the image.",
            )

        def check(empty: np.ndarray) -> None:
            even = flat_field.plain(signals.linear(empty), flat)
            polarity.check(kind, even, f"{self.where}.polarity")

        q = self._percentile(signals.inverse)
        found = background.Rolling(how.window_s, how.samples, q, check)
        first, end = self.reader.frames or (0, None)
        r0, r1, c0, c1 = self.shape.window

        def timed() -> Iterator[tuple[float, np.ndarray]]:
            rehearsal = ticking.fresh()
            for block in self.opened.blocks(first, end):
                times = rehearsal.stamp(block.first, len(block.frames), block.time_s)
                for time_s, frame in zip(times.tolist(), block.frames, strict=True):
                    yield time_s, signals.inverse.shape(frame[r0:r1, c0:c1])

        found.prepare(timed())
        return found

    # --------------------------------------------------------------------- calibration

    def points(self, signals: Signals) -> calibration.Points:
        """The two points of the calibration, declared or found."""
        how = self.settings.calibration
        if how.method == "two_points":
            return calibration.declared(how)
        where = f"{self.where}.calibration"
        if signals.rolling:
            raise UserError(
                f"{where}.method",
                f"{how.method} with a rolling background",
                "two_points",
                "Look at the quality page for the levels, and declare `one`.",
            )
        odours = (
            signals.of_window(window, None)
            for window in self._windows(*(how.frames or self.reader.frames or (0, None)))
        )
        keep = signals.chain.keep
        return calibration.found(how, odours, self._region(how, where), where, keep)

    def _region(self, how: Calibration, where: str) -> Patch | None:
        if how.method != "source_region":
            return None
        at = NoiseFloor(rows=how.rows, columns=how.columns)
        return noise_floor.patch(at, self.shape.window, where)
