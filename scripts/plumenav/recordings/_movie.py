"""What readers of arrays share: ranges, damage, and sizes that a header may claim."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from plumenav.errors import UserError
from plumenav.recordings._contract import (
    BLOCK_BYTES,
    DamageError,
    Facts,
    Frames,
    frames_per_block,
)

# A larger frame, or unit of compression, is a header that lies (8192 x 8192 doubles are allowed).
MAX_FRAME_BYTES = 2**29
# No sane compression of a movie is stronger; deflate ends at 1032.
MAX_EXPANSION = 100_000
# Where frames are not the slowest axis, each slab touches the whole file: fewer, larger slabs.
STRIDED_BLOCK_BYTES = 8 * BLOCK_BYTES


class BrokenPartError(Exception):
    """Something below a reader cannot be read: becomes a :class:`DamageError`.

    Parameters
    ----------
    readable : int
        Sound frames before it.
    why : str
        What the decoder said.
    """

    def __init__(self, readable: int, why: str) -> None:
        super().__init__(why)
        self.readable, self.why = readable, why


def reason(error: BaseException) -> str:
    """First line of an exception, or its type."""
    said = str(error).strip()
    return said.splitlines()[0] if said else type(error).__name__


def damage(
    path: Path, why: str, readable: int, promised: int | None = None, time_s: float | None = None
) -> DamageError:
    """The error of a file that is sound only up to some frame.

    Parameters
    ----------
    path : Path
    why : str
        What is wrong with it.
    readable : int
        Sound frames.
    promised : int, optional
        Frames that the header promises.
    time_s : float, optional
        Time stamp of the last sound frame, s.
    """
    until = "" if time_s is None else f" (up to {time_s:.3f} s)"
    of = "" if promised is None else f"; the header promises {promised}"
    return DamageError(
        str(path),
        f"cannot be read ({why}): {readable} frames are readable{until}{of}",
        "a complete, undamaged file",
        "Copy it again from where it was recorded"
        + (
            f", or use the sound part with reader.frames: [0, {readable}] or"
            " reader.on_damage: truncate."
            if readable > 1
            else "."
        ),
        readable=readable,
        readable_s=time_s,
        promised=promised,
    )


def refuse_absurd(
    path: Path,
    shape: Sequence[int],
    frame_shape: Sequence[int],
    itemsize: int,
    stored_bytes: int,
    expansion: int = MAX_EXPANSION,
) -> None:
    """Refuse a header that claims more than a file can hold, before memory is asked for.

    Parameters
    ----------
    path : Path
    shape, frame_shape : sequence of int
        Of the whole movie, and of one frame or unit of compression.
    itemsize : int
        Bytes per number.
    stored_bytes : int
        Bytes of the file, or of the part that holds the movie.
    expansion : int
        Largest believable ratio of numbers to stored bytes.

    Raises
    ------
    UserError
    """
    frame_bytes = math.prod(frame_shape) * itemsize
    total = math.prod(shape) * itemsize
    if frame_bytes > MAX_FRAME_BYTES or total > expansion * max(stored_bytes, 2**16):
        raise damage(
            path,
            f"the header claims a movie of {tuple(shape)} = {total} bytes,"
            f" {frame_bytes} bytes at a time, in {stored_bytes} bytes of file",
            0,
        )


def check_stamps(
    path: Path, name: str, shape: tuple[int, ...], dtype: np.dtype, n_frames: int
) -> None:
    """Refuse time stamps that are not one number per frame, before they are read.

    Raises
    ------
    UserError
    """
    if dtype.kind not in "uif" or math.prod(shape) != n_frames:
        raise UserError(
            f"{path}: reader.time_dataset",
            f"{name!r} has shape {shape} of {dtype}",
            f"{n_frames} numbers, one per frame, in seconds",
            "Check reader.time_dataset, and reader.axes: which axis counts frames?",
        )


def as_stamps(path: Path, name: str, values: np.ndarray) -> np.ndarray:
    """Time stamps as they were read, as float64, s.

    Raises
    ------
    UserError
        If one is not finite.
    """
    stamps = np.asarray(values, np.float64).reshape(-1)
    if not np.isfinite(stamps).all():
        bad = int(np.flatnonzero(~np.isfinite(stamps))[0])
        where = f"{path}: reader.time_dataset"
        raise UserError(where, f"the stamp of frame {bad} is {stamps[bad]}", "finite seconds")
    return stamps


def slab_frames(
    shape: Sequence[int],
    order: Sequence[int],
    chunks: Sequence[int] | None,
    itemsize: int,
    limit: int,
    strided_limit: int,
) -> int:
    """Frames that are read at once from a chunked array.

    Parameters
    ----------
    shape, chunks : sequence of int, length 3
        Of the array, and of its units of storage.
    order : sequence of int
        Axes that count frames, rows, columns.
    itemsize : int
        Bytes per number.
    limit, strided_limit : int
        Bytes at once where frames are the slowest axis, and where they are not: there each slab
        touches the whole file.
    """
    height, width = (shape[axis] for axis in order[1:])
    n = frames_per_block(height, width, itemsize, limit if order[0] == 0 else strided_limit)
    chunk = chunks[order[0]] if chunks else 1
    # whole chunks where they fit, so that none is decompressed twice
    return max(1, n // chunk * chunk) if chunk <= n else n


class Movie:
    """Frames that can be counted beforehand; see :class:`..._contract.Recording`.

    A reader derives from it and defines `_parts`.

    Parameters
    ----------
    path : Path
    facts : Facts
        With `frames_header`.
    time_s : ndarray, optional
        A stamp per frame, s.
    sound : int, optional
        Frames that the file is long enough to hold, if fewer than the header promises.
    why : str
        What is wrong if `sound` is given.
    """

    def __init__(
        self,
        path: Path,
        facts: Facts,
        time_s: np.ndarray | None = None,
        sound: int | None = None,
        why: str = "the file ends early",
    ) -> None:
        self.path, self.facts, self.notes = path, facts, list[str]()
        self.n_frames = facts.frames_header or 0
        self._time_s, self._why = time_s, why
        self._sound = self.n_frames if sound is None else min(sound, self.n_frames)

    def _parts(self, first: int, stop: int) -> Iterator[tuple[int, np.ndarray]]:
        """(number of the first, frames) in order; raises :class:`BrokenPartError` where it ends."""
        raise NotImplementedError

    def _damage(self, why: str, readable: int) -> DamageError:
        stamps = self._time_s
        last_s = float(stamps[readable - 1]) if stamps is not None and readable else None
        return damage(self.path, why, readable, self.n_frames, last_s)

    def blocks(self, first: int = 0, end: int | None = None) -> Iterator[Frames]:
        """Frames in order; see the contract."""
        stop = self.n_frames if end is None else end
        if not 0 <= first < stop <= self.n_frames:
            raise UserError(
                str(self.path),
                f"holds {self.n_frames} frames",
                f"the frames [{first}, {'end' if end is None else end}) that are asked for",
                "Correct the range of frames in the config, or reader.axes.",
            )
        try:
            for start, frames in self._parts(first, min(stop, self._sound)):
                after = start + len(frames)
                stamps = None if self._time_s is None else self._time_s[start:after].copy()
                yield Frames(start, stamps, frames)
        except BrokenPartError as broken:
            raise self._damage(broken.why, broken.readable) from None
        if stop > self._sound:
            raise self._damage(self._why, self._sound)

    def close(self) -> None:
        """Nothing stays open between calls."""


class ChunkedMovie(Movie):
    """A movie in an array that gives any slab of itself; a reader defines `_slab`.

    Parameters
    ----------
    path, facts, time_s : see :class:`Movie`
    order : tuple of int
        Axes that count frames, rows, columns.
    slab : int
        Frames that are read at once.
    """

    def __init__(
        self,
        path: Path,
        facts: Facts,
        time_s: np.ndarray | None,
        order: tuple[int, int, int],
        slab: int,
    ) -> None:
        super().__init__(path, facts, time_s)
        self._order, self._frames_per_slab = order, slab

    def _slab(self, where: tuple[slice, ...]) -> np.ndarray:
        """Part of the array; raises :class:`BrokenPartError` (any number of frames)."""
        raise NotImplementedError

    def _frames(self, start: int, after: int) -> np.ndarray:
        where = [slice(None)] * 3
        where[self._order[0]] = slice(start, after)
        raw = self._slab(tuple(where)).transpose(self._order)
        return np.ascontiguousarray(raw, self.facts.dtype)

    def _parts(self, first: int, stop: int) -> Iterator[tuple[int, np.ndarray]]:
        slab, start = self._frames_per_slab, first
        while start < stop:
            after = min(stop, (start // slab + 1) * slab)
            try:
                frames = self._frames(start, after)
            except BrokenPartError as broken:
                yield from self._up_to_damage(start, after, broken.why)
                raise
            yield start, frames
            start = after

    def _up_to_damage(self, start: int, after: int, why: str) -> Iterator[tuple[int, np.ndarray]]:
        """Sound frames of a damaged slab, one by one, and the number of them in the error."""
        for number in range(start, after):
            try:
                frame = self._frames(number, number + 1)
            except BrokenPartError:
                raise BrokenPartError(number, why) from None
            yield number, frame
        raise BrokenPartError(after, why)


def block_frames(facts: Facts, limit: int = BLOCK_BYTES) -> int:
    """Frames of a recording in one block of at most `limit` bytes."""
    itemsize = np.dtype(facts.dtype).itemsize * facts.channels
    return frames_per_block(facts.height, facts.width, itemsize, limit)
