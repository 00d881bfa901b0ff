"""Normalization of one recording: a stream of blocks, in memory that does not grow with the movie.

The order of the steps is that of :class:`plumenav.config.normalization.Normalization`: crop, turn
to the wind, transfer, background, calibration, resampling in space and time, storage. They run
fused (see
:mod:`plumenav.normalization.kernel`); the recording is decoded once, and its plume-free frames once
more before that if a background is asked for.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from plumenav.config.recordings import Recording
from plumenav.errors import UserError
from plumenav.normalization import blank, clock, kinds, quality
from plumenav.normalization.geometry import Geometry, geometry
from plumenav.normalization.kernel import Kernel, work_type
from plumenav.normalization.statistics import Statistics
from plumenav.normalization.steps import background, storage, transfer
from plumenav.recordings import _contract as readers
from plumenav.recordings._recognize import open_recording
from plumenav.tables import PlumeWriter, atomic, write_json

logger = logging.getLogger(__name__)

# Stored frames that are collected before they are counted and handed to the writer.
OUT_BYTES = 4 * 2**20


def normalize(
    label: str, settings: dict[str, Any], source: Path | None, plume: Path, quality_file: Path
) -> dict[str, Any]:
    """Turn one recording into a plume file and a quality file.

    Parameters
    ----------
    label : str
        Of the recording in the config.
    settings : dict
        JSON dump of a resolved :class:`plumenav.config.recordings.Recording`.
    source : Path or None
        The recording; None for analytic and signal plumes.
    plume, quality_file : Path
        Written atomically: after a failure neither exists.

    Returns
    -------
    dict
        The content of the quality file.

    Raises
    ------
    UserError
        If the recording cannot be read or the settings do not fit it.
    """
    recording = Recording.model_validate(settings)
    where = f"recordings.{label}"
    # written before the plume takes its name, and named after it: both exist, or neither
    with atomic(quality_file) as unnamed:
        if recording.analytic is not None:
            record = kinds.write_analytic(plume, unnamed, recording.analytic, where)
        elif recording.signal is not None:
            record = kinds.write_signal(plume, unnamed, recording.signal, where)
        elif source is None:
            raise UserError(where, "no file was given for a movie", "a path or synthetic settings")
        else:
            record = _movie(recording, source, plume, unnamed, where)
    logger.info("%s: %s frames written", label, record["frames_written"])
    return record


def sha256_of(path: Path) -> str:
    """Hexadecimal sha256 of a file's content."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def reader_settings(recording: Recording) -> readers.Settings:
    """What the reader of a recording is told."""
    reader, expected = recording.reader, recording.expected
    pattern = recording.path if recording.path and any(c in recording.path for c in "*?[") else None
    return readers.Settings(
        name=reader.name,
        dataset=reader.dataset,
        time_dataset=reader.time_dataset,
        axes=reader.axes,
        channel=reader.channel,
        pattern=pattern,
        shape=(expected.frames, expected.rows, expected.columns),
        colour=recording.normalize.false_colour.map is not None,
    )


def _movie(
    recording: Recording, source: Path, plume: Path, unnamed: Path, where: str
) -> dict[str, Any]:
    # one thread here: the workflow decides how many jobs run, and sums must not depend on it
    cv2.setNumThreads(1)
    opened = open_recording(source, reader_settings(recording))
    with ThreadPoolExecutor(1) as pool, closing(opened):
        digest = pool.submit(sha256_of, source)
        movie = _Movie(recording, opened, source, where)
        return movie.write(plume, unnamed, digest.result)


class _Movie:
    """One movie on its way from the reader to the plume file."""

    def __init__(
        self, recording: Recording, opened: readers.Recording, source: Path, where: str
    ) -> None:
        self.recording, self.opened, self.source, self.where = recording, opened, source, where
        self.facts = opened.facts
        dtype = np.dtype(self.facts.dtype)
        settings = recording.normalize
        transfer.check(settings.transfer, f"{where}.normalize.transfer")
        self.shape = geometry(recording, self.facts.height, self.facts.width, where)
        self.code = storage.code(settings.storage, self.facts.bits, f"{where}.normalize.storage")
        inverse = transfer.inverse(settings.transfer, dtype, work_type(dtype))
        empty = self._background(inverse)
        self.kernel = Kernel(inverse, self.shape, settings.calibration, self.code, empty, dtype)
        self.clock = clock.Clock(recording.frame_rate_hz, self.facts.rate_hz, where)
        grid = self.shape.grid
        self.statistics = Statistics(
            grid.height,
            grid.width,
            self.code,
            (settings.storage.minimum, settings.storage.maximum),
            settings.blank.frames,
        )
        self._full = 2**self.facts.bits - 1 if dtype.kind == "u" else None
        if dtype.kind == "i":
            self._full = int(np.iinfo(dtype).max)
        self._is_float = dtype.kind == "f"
        self._saturated = self._pixels = self._clipped_low = self._clipped_high = 0

    # ------------------------------------------------------------------------- background

    def _background(self, inverse: transfer.Inverse) -> np.ndarray | None:
        settings = self.recording.normalize.background
        if settings.method == "none" or settings.frames is None:
            return None
        first, end = settings.frames
        r0, r1, c0, c1 = self.shape.window

        def read(rows: slice) -> Iterator[np.ndarray]:
            for block in self.opened.blocks(first, end):
                for frame in block.frames:
                    yield frame[r0:r1, c0:c1][rows]

        if settings.method == "mean":
            image = background.mean_image(read(slice(None)), inverse.shape)
        else:
            frame_bytes = (r1 - r0) * (c1 - c0) * np.dtype(self.facts.dtype).itemsize
            image = background.median_image(read, inverse.shape, r1 - r0, frame_bytes, end - first)
        if not np.isfinite(image).all():
            raise UserError(
                f"{self.where}.normalize.background",
                "the plume-free frames hold values that are not finite numbers",
                "finite numbers",
                "Choose other frames, or repair the recording.",
            )
        return image

    # ----------------------------------------------------------------------------- frames

    def _raw(self) -> Iterator[clock.Timed]:
        first, end = self.recording.reader.frames or (0, None)
        for block in self.opened.blocks(first, end):
            times = self.clock.stamp(block.first, len(block.frames), block.time_s)
            self._count_saturated(self.kernel.window(block.frames[0]), block.frames)
            yield from zip(times.tolist(), block.frames, strict=True)

    def _count_saturated(self, window: np.ndarray, frames: np.ndarray) -> None:
        if self._full is None:
            return
        for frame in frames:
            used = self.kernel.window(frame)
            if used.max() >= self._full:
                self._saturated += int(np.count_nonzero(used >= self._full))
        self._pixels += len(frames) * window.size

    def _reduced(self, stream: Iterator[clock.Timed]) -> Iterator[clock.Timed]:
        for n, (time_s, raw) in enumerate(stream):
            image = self.kernel.reduce(raw)
            if self._is_float and not np.isfinite(cv2.sumElems(image)[0]):
                raise UserError(
                    str(self.source),
                    f"frame {n} of those used holds values that are not finite numbers"
                    " (as read, or after normalize.transfer)",
                    "finite numbers",
                    "Leave the frames out with reader.frames, or repair the recording.",
                )
            yield time_s, image

    def _frames(self) -> Iterator[clock.Timed]:
        settings = self.recording.normalize.resample
        raw = self._raw()
        if settings.frame_rate_hz is None:
            return self._reduced(raw)
        if settings.time == "nearest":
            # choose first, compute afterwards: frames that fall out cost nothing
            return self._reduced(clock.nearest_frames(raw, settings.frame_rate_hz))
        return clock.linear_frames(self._reduced(raw), settings.frame_rate_hz)

    def _stored(self) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Blocks of (times, stored frames)."""
        grid = self.shape.grid
        size = readers.frames_per_block(
            grid.height, grid.width, self.code.dtype.itemsize, OUT_BYTES
        )
        block = np.empty((size, grid.height, grid.width), self.code.dtype)
        times: list[float] = []
        for time_s, image in self._frames():
            clipped = self.kernel.store(image, block[len(times)])
            self._clipped_low += clipped.low
            self._clipped_high += clipped.high
            times.append(time_s)
            if len(times) == size:
                yield np.array(times), block
                # the writer keeps views of what it was given
                block, times = np.empty_like(block), []
        if times:
            yield np.array(times), block[: len(times)]

    # ------------------------------------------------------------------------------ files

    def write(self, plume: Path, unnamed: Path, digest: Callable[[], str]) -> dict[str, Any]:
        """Write the plume and, without its name yet, the quality file; returns its content."""
        grid, code = self.shape.grid, self.code
        with PlumeWriter(
            plume, grid.height, grid.width, code.dtype.name, code.scale, code.offset
        ) as writer:
            # one block is compressed while the next one is decoded; the pool ends before the writer
            # does, whatever happens
            with ThreadPoolExecutor(1) as pool:
                behind: Future[None] | None = None
                for times, block in self._stored():
                    if behind is not None:
                        behind.result()
                    self.statistics.update(block)
                    behind = pool.submit(writer.write, times, block)
                if behind is not None:
                    behind.result()
            period_s = self._period(writer.time_s)
            record = self._record(len(writer.time_s))
            writer.metadata.update(
                kind="movie",
                **grid._asdict(),
                dtype=code.dtype.name,
                scale=code.scale,
                offset=code.offset,
                period_s=period_s,
                field="movie",
                field_constants={},
                blank=record["blank"],
                noise=record["noise"],
                unit=self.recording.normalize.calibration.unit,
                recording=self.source.name,
                recording_sha256=digest(),
                reader=self.facts.reader,
                decoder=self.facts.decoder,
                decoder_version=self.facts.decoder_version,
                source_dtype=self.facts.dtype,
                source_bits=self.facts.bits,
                normalization=self._settings_used(),
                quality=record,
            )
            write_json(unnamed, record)
        return record

    def _settings_used(self) -> dict[str, Any]:
        keys = ("reader", "mm_per_px", "frame_rate_hz", "source_px", "wind_toward", "mirrored")
        return self.recording.model_dump(mode="json", include={*keys, "normalize"})

    def _period(self, times: list[float]) -> float:
        """Last minus first time stamp, plus one interval."""
        self.clock.intervals()  # refuses movies without duration
        rate = self.recording.normalize.resample.frame_rate_hz
        if rate is not None:
            return len(times) / rate
        return times[-1] - times[0] + float(np.median(np.diff(times)))

    def _record(self, n_written: int) -> dict[str, Any]:
        settings = self.recording.normalize.blank
        where = f"{self.where}.normalize.blank"
        frames = settings.frames or (0, n_written)
        if frames[1] > n_written:
            raise UserError(
                f"{where}.frames", f"[{frames[0]}, {frames[1]})", f"within [0, {n_written})"
            )
        step = self.code.scale if self.code.lowest is not None else 0.0
        rectangle, how = blank.find(
            settings, self.statistics.maps(), self.statistics.change_sd(), step, where
        )
        grid = self.shape.grid
        pixels = n_written * grid.height * grid.width
        return quality.complete(
            "movie",
            recording=self.source.name,
            reader=self.facts.reader,
            frames_header=self.facts.frames_header,
            frames_written=n_written,
            **quality.clock_part(self.clock),
            clipped_low=self._clipped_low,
            clipped_high=self._clipped_high,
            clipped_low_fraction=self._clipped_low / pixels,
            clipped_high_fraction=self._clipped_high / pixels,
            saturated_fraction=self._saturated / self._pixels if self._pixels else None,
            **quality.concentration_part(self.statistics),
            **quality.blank_part(self.statistics, rectangle, frames, how),
            notes=[*self.opened.notes, *self.shape.notes],
        )


__all__ = ["Geometry", "normalize", "sha256_of"]
