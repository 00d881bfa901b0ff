"""One movie on its way from the reader to the plume file: a stream of blocks in bounded memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import numpy as np
import pyarrow as pa

from plumenav import guard
from plumenav.config.recordings import Recording
from plumenav.errors import UserError
from plumenav.normalization import blank, clock, fidelity, quality
from plumenav.normalization.geometry import geometry
from plumenav.normalization.kernel import Kernel, work_type
from plumenav.normalization.sources import Sources
from plumenav.normalization.statistics import Statistics
from plumenav.normalization.steps import storage
from plumenav.recordings import _contract as readers
from plumenav.tables import PlumeWriter, write_json

# Stored frames that are collected before they are counted and handed to the writer.
OUT_BYTES = 4 * 2**20
# Beyond it, the float32 of later steps would overflow.
LARGEST_TOTAL = 1e35
# Frames by which the header of a healthy recording may be wrong.
HEADER_SLACK = 2
# Such blocks after which freed memory goes back: three threads that allocate and free leave holes.
GIVE_BACK_EVERY = 32


class Seen(NamedTuple):
    """A raw frame, its background if that rolls, and, once computed, its reduced image."""

    raw: np.ndarray
    empty: np.ndarray | None
    image: np.ndarray | None = None


class Loss(NamedTuple):
    """What a damaged file promised and did not give."""

    frames: int | None
    why: str


def _mix(early: Seen, late: Seen, share: float) -> Seen:
    assert early.image is not None
    assert late.image is not None
    near = early if share <= 0.5 else late
    return near._replace(image=clock.mixed(early.image, late.image, share))


class Movie:
    """One movie on its way from the reader to the plume file.

    Parameters
    ----------
    recording : Recording
        Its settings.
    opened : readers.Recording
    source : Path
        Its file or folder, for messages.
    companions : mapping
        Files beside it by their config key.
    where : str
        Config key, for messages.
    loss : Loss or None
        What is already known to be unreadable, and left out by `reader.frames`.
    """

    def __init__(
        self,
        recording: Recording,
        opened: readers.Recording,
        source: Path,
        companions: Mapping[str, Path],
        where: str,
        loss: Loss | None = None,
    ) -> None:
        self.recording, self.opened, self.source, self.where = recording, opened, source, where
        self.facts, self._loss = opened.facts, loss
        settings = recording.normalize
        self.shape = geometry(recording, self.facts.height, self.facts.width, where)
        self.clock = self._clock(companions)
        sources = Sources(recording, opened, self.shape, companions, where)
        work = np.dtype(np.float32) if self.facts.channels == 3 else work_type(sources.dtype)
        self.signals = sources.signals(work)
        self.points = sources.points(self.signals)
        self._rolling = sources.rolling(self.signals, self.clock)
        self._decoder = sources.decoder
        self.code = storage.code(settings.storage, self.facts.bits, f"{where}.normalize.storage")
        self.kernel = Kernel(self.signals, self.shape, self.points, self.code, work)
        grid = self.shape.grid
        self.statistics = Statistics(
            grid.height,
            grid.width,
            self.code,
            (settings.storage.minimum, settings.storage.maximum),
            settings.blank.frames,
        )
        window = self.shape.shape
        raw_bytes = window[0] * window[1] * np.dtype(self.facts.dtype).itemsize
        stored_bytes = grid.height * grid.width * self.code.dtype.itemsize
        self._samples = fidelity.Samples(raw_bytes * self.facts.channels + stored_bytes)
        # the largest number of a colour channel is a colour like any other
        coloured = self.facts.channels == 3
        self._full = set() if coloured else full_scales(np.dtype(self.facts.dtype), self.facts.bits)
        # integers become nothing else than numbers, unless a power of negative ones is taken
        signed = np.dtype(self.facts.dtype).kind
        self._may_be_no_number = signed == "f" or (
            signed == "i" and settings.transfer.kind == "gamma"
        )
        self._top = -1
        self._at_top = self._pixels = self._clipped_low = self._clipped_high = 0
        self._last = 0

    def _clock(self, companions: Mapping[str, Path]) -> clock.Clock:
        reader, stamps = self.recording.reader, None
        if "reader.time_file" in companions and self.recording.frame_rate_hz is None:
            stamps = clock.read_stamps(
                companions["reader.time_file"], reader.time_column, f"{self.where}.reader"
            )
        rate, nominal = self.recording.frame_rate_hz, self.facts.rate_hz
        return clock.Clock(rate, nominal, self.where, stamps)

    # ----------------------------------------------------------------------------- frames

    def _raw(self) -> Iterator[clock.Timed[Seen]]:
        first, end = self.recording.reader.frames or (0, None)
        blocks = iter(self.opened.blocks(first, end))
        # one block is decoded ahead of the one in work; the pool ends before the reader is closed
        with ThreadPoolExecutor(1) as pool:
            ahead = pool.submit(next, blocks, None)
            while (block := ahead.result()) is not None:
                times = self.clock.stamp(block.first, len(block.frames), block.time_s)
                self._last = block.first + len(block.frames)
                guard.progress(self._last, float(times[-1]))
                ahead = pool.submit(next, blocks, None)
                self._count_saturated(block.frames)
                for time_s, raw in zip(times.tolist(), block.frames, strict=True):
                    yield time_s, Seen(raw, self._empty(time_s, raw))
        # with a part of the frames, the header says how many stamps there should be
        if end is None:
            self.clock.check_own(self._last)
        elif self.facts.frames_header is not None and self._loss is None:
            self.clock.check_own(self.facts.frames_header, HEADER_SLACK)

    def _empty(self, time_s: float, raw: np.ndarray) -> np.ndarray | None:
        if self._rolling is None:
            return None
        return self._rolling.background(
            time_s, lambda: self.signals.inverse.shape(self.kernel.window(raw))
        )

    def _count_saturated(self, frames: np.ndarray) -> None:
        if not self._full:
            return
        for frame in frames:
            used = self.kernel.window(frame)
            top = int(used.max())
            if top > self._top:
                self._top, self._at_top = top, 0
            if top == self._top and top in self._full:
                self._at_top += int(np.count_nonzero(used == top))
        self._pixels += len(frames) * self.kernel.window(frames[0]).size

    def _reduced(self, stream: Iterator[clock.Timed[Seen]]) -> Iterator[clock.Timed[Seen]]:
        for n, (time_s, seen) in enumerate(stream):
            image = self.kernel.reduce(seen.raw, seen.empty)
            if self._may_be_no_number and not abs(cv2.sumElems(image)[0]) < LARGEST_TOTAL:
                raise UserError(
                    str(self.source),
                    f"frame {n} of those used holds values that are not finite numbers"
                    " or are beyond all reason (as read, or after normalize.transfer)",
                    f"finite numbers, a frame's total below {LARGEST_TOTAL:g}",
                    "Leave the frames out with reader.frames, or repair the recording.",
                )
            yield time_s, seen._replace(image=image)

    def _frames(self) -> Iterator[clock.Timed[Seen]]:
        settings = self.recording.normalize.resample
        raw = self._raw()
        if settings.frame_rate_hz is None:
            return self._reduced(raw)
        if settings.time == "nearest":
            # choose first, compute afterwards: frames that fall out cost nothing
            return self._reduced(clock.nearest_frames(raw, settings.frame_rate_hz))
        return clock.linear_frames(self._reduced(raw), settings.frame_rate_hz, _mix)

    def _stored(self) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Blocks of (times, stored frames); each is used again after the next one."""
        grid = self.shape.grid
        size = readers.frames_per_block(
            grid.height, grid.width, self.code.dtype.itemsize, OUT_BYTES
        )
        # the one is written while the other is filled
        block, other = np.empty((2, size, grid.height, grid.width), self.code.dtype)
        times: list[float] = []
        for time_s, seen in self._frames():
            assert seen.image is not None
            out = block[len(times)]
            clipped = self.kernel.store(seen.image, out)
            self._clipped_low += clipped.low
            self._clipped_high += clipped.high
            self._samples.look(self.kernel.window(seen.raw), seen.empty, out)
            times.append(time_s)
            if len(times) == size:
                yield np.array(times), block
                block, other, times = other, block, []
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
                for n, (times, block) in enumerate(self._stored(), 1):
                    if behind is not None:
                        behind.result()
                    if n % GIVE_BACK_EVERY == 0:
                        give_back()
                    self.statistics.update(block)
                    behind = pool.submit(writer.write, times, block)
                if behind is not None:
                    behind.result()
            # before the maps of the whole movie are made: readers keep chunks of their file
            self.opened.close()
            give_back()
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
                unit=self.recording.normalize.calibration.meaning,
                recording=self.source.name,
                recording_sha256=digest(),
                reader=self.facts.reader,
                recording_format=self.facts.format,
                decoder=self.facts.decoder,
                decoder_version=self.facts.decoder_version,
                source_dtype=self.facts.dtype,
                source_bits=self.facts.bits,
                source_height=self.facts.height,
                source_width=self.facts.width,
                normalization=self._settings_used(),
                quality=record,
            )
            write_json(unnamed, record)
        return record

    def _settings_used(self) -> dict[str, Any]:
        keys = {"path", "reader", "mm_per_px", "frame_rate_hz", "source_px", "wind_toward"}
        keys |= {"mirrored", "preset", "expected", "normalize"}
        return self.recording.model_dump(mode="json", include=keys)

    def _period(self, times: list[float]) -> float:
        """Last minus first time stamp, plus one interval."""
        self.clock.intervals()  # refuses movies without duration
        rate = self.recording.normalize.resample.frame_rate_hz
        if rate is not None:
            return len(times) / rate
        return times[-1] - times[0] + float(np.median(np.diff(times)))

    def _recorded(self) -> np.ndarray | None:
        """Pixels of the plume that a mask leaves as they are; None if there is no mask."""
        keep = self.signals.chain.keep
        if keep is None:
            return None
        whole = self.shape.reducer(np.dtype(np.float32))(keep)
        return np.asarray(whole > 1 - 1e-4)

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
            settings,
            self.statistics.maps(),
            self.statistics.change_sd(),
            step,
            where,
            self._recorded(),
        )
        grid = self.shape.grid
        pixels = n_written * grid.height * grid.width
        camera = self.recording.normalize.transfer
        sent_back = fidelity.measure(
            self._samples.pairs, self.shape, self.signals, self.points, self.code, camera
        )
        decoder = self._decoder
        return quality.complete(
            "movie",
            recording=self.source.name,
            reader=self.facts.reader,
            frames_header=self.facts.frames_header,
            frames_lost=self._loss.frames if self._loss else None,
            loss=self._loss.why if self._loss else None,
            frames_written=n_written,
            missing_numbers=self.facts.extra.get("missing_numbers"),
            **quality.clock_part(self.clock),
            clipped_low=self._clipped_low,
            clipped_high=self._clipped_high,
            clipped_low_fraction=self._clipped_low / pixels,
            clipped_high_fraction=self._clipped_high / pixels,
            saturated_fraction=self._at_top / self._pixels if self._pixels else None,
            not_of_the_colour_map_fraction=decoder.alien / decoder.pixels if decoder else None,
            **sent_back,
            calibration=self.points._asdict(),
            **quality.concentration_part(self.statistics),
            **quality.blank_part(self.statistics, rectangle, frames, how),
            notes=[*self.opened.notes, *self.shape.notes],
        )


def give_back() -> None:
    """Give memory that was freed back to the system: NumPy's and OpenCV's, of all threads."""
    pa.system_memory_pool().release_unused()


# Cameras of so many bits store their numbers in 16, at either end.
CAMERA_BITS = (10, 12, 14)


def full_scales(dtype: np.dtype, bits: int) -> set[int]:
    """Numbers that are the largest of a camera, if they are the largest of a recording.

    Examples
    --------
    >>> full_scales(np.dtype("uint8"), 8), full_scales(np.dtype("int16"), 16)
    ({255}, {32767})
    >>> sorted(full_scales(np.dtype("uint16"), 16))
    [1023, 4095, 16383, 65472, 65520, 65532, 65535]
    """
    if dtype.kind == "i":
        return {int(np.iinfo(dtype).max)}
    if dtype.kind != "u":
        return set()
    smaller = {2**k - 1 for k in CAMERA_BITS} if bits == 16 else set()
    shifted = {2**16 - 2 ** (16 - k) for k in CAMERA_BITS} if bits == 16 else set()
    return {2**bits - 1} | smaller | shifted
