"""One array that lies in a file in one piece, or in one compressed stream (npy, npz, MATLAB 5).

Where frames are the slowest axis of the stored numbers, they are read one after another, in bounded
memory. Where they are not, the file is memory-mapped block by block; a compressed stream has to be
unpacked as a whole.
"""

from __future__ import annotations

import math
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Literal, NamedTuple, Protocol

import numpy as np

from plumenav.recordings._axes import Layout
from plumenav.recordings._contract import Facts
from plumenav.recordings._movie import (
    STRIDED_BLOCK_BYTES,
    BrokenPartError,
    Movie,
    block_frames,
    damage,
    reason,
)

# Unpacked as a whole only up to here.
MAX_WHOLE_BYTES = 2**31
PIECE_BYTES = 2**20
# How far behind the numbers a stream is read on, to reach its checksum.
TAIL_BYTES = 2**20
STREAM_ERRORS = (zlib.error, zipfile.BadZipFile, OSError, ValueError, NotImplementedError)


class Stream(Protocol):
    """Bytes, forwards."""

    def read(self, size: int, /) -> bytes:
        """At most `size` bytes; none at the end."""
        ...

    def close(self) -> None:
        """Release the file."""
        ...


class StoredArray(NamedTuple):
    """Where an array is, and how.

    Attributes
    ----------
    shape : tuple of int
    stored : numpy.dtype
        Of the numbers in the file, with their byte order.
    dtype : numpy.dtype
        Of the numbers as they are meant (MATLAB stores doubles in fewer bytes where they fit).
    fortran : bool
        True: the first axis varies fastest.
    open_stream : callable
        Opens the stream of the stored numbers, at the first one.
    offset : int or None
        Of the first number in the file; None in a compressed stream.
    """

    shape: tuple[int, ...]
    stored: np.dtype
    dtype: np.dtype
    fortran: bool
    open_stream: Callable[[], Stream]
    offset: int | None

    @property
    def slow_to_fast(self) -> tuple[int, ...]:
        """Axes in the order in which the numbers lie."""
        axes = tuple(range(len(self.shape)))
        return axes[::-1] if self.fortran else axes

    @property
    def stored_bytes(self) -> int:
        """Bytes of all numbers in the stream."""
        return math.prod(self.shape) * self.stored.itemsize


def _pieces(stream: Stream, size: int) -> Iterator[bytes]:
    """`size` bytes in pieces, or fewer at the end of the stream."""
    try:
        while size > 0 and (part := stream.read(min(size, PIECE_BYTES))):
            yield part
            size -= len(part)
    except EOFError:
        return  # a compressed stream that is cut off


def _read(stream: Stream, size: int) -> bytes:
    """`size` bytes, or fewer at the end of the stream; memory grows with what arrives."""
    return b"".join(_pieces(stream, size))


def load(array: StoredArray) -> np.ndarray:
    """A whole array that is known to be small.

    Raises
    ------
    BrokenPartError
        If it is cut off, or its checksum is wrong.
    """
    try:
        with closing(array.open_stream()) as stream:
            raw = _read(stream, array.stored_bytes)
            if array.offset is None:
                _skip(stream, TAIL_BYTES)
    except STREAM_ERRORS as error:
        raise BrokenPartError(0, f"the compressed data are damaged: {reason(error)}") from None
    if len(raw) < array.stored_bytes:
        raise BrokenPartError(0, "the data end early")
    flat = np.frombuffer(raw, array.stored).astype(array.dtype)
    return flat.reshape(array.shape, order="F" if array.fortran else "C")


def _skip(stream: Stream, size: int) -> int:
    """Read past `size` bytes; how many there were."""
    return sum(len(part) for part in _pieces(stream, size))


class StoredMovie(Movie):
    """A movie in one stored array; see :class:`plumenav.recordings._contract.Recording`.

    Parameters
    ----------
    path : Path
    array : StoredArray
        With three axes.
    layout : Layout
    facts : Facts
    time_s : ndarray, optional
    """

    def __init__(
        self,
        path: Path,
        array: StoredArray,
        layout: Layout,
        facts: Facts,
        time_s: np.ndarray | None = None,
    ) -> None:
        self._array, self._layout = array, layout
        slow = array.slow_to_fast
        self._in_sequence = slow[0] == layout.order[0]
        sound = None
        if array.offset is not None:
            there = max(0, path.stat().st_size - array.offset)
            if there < array.stored_bytes:
                frame = array.stored_bytes // array.shape[layout.order[0]]
                sound = there // frame if self._in_sequence else 0
        elif not self._in_sequence and array.stored_bytes > MAX_WHOLE_BYTES:
            raise damage(
                path,
                f"its frames are strewn over {array.stored_bytes} bytes in one compressed stream,"
                f" and at most {MAX_WHOLE_BYTES} are unpacked at once; store it uncompressed, or"
                " with frames as the slowest axis",
                0,
            )
        super().__init__(path, facts, time_s, sound)
        self.notes += layout.notes

    def _parts(self, first: int, stop: int) -> Iterator[tuple[int, np.ndarray]]:
        if stop <= first:
            return iter(())
        return self._sequence(first, stop) if self._in_sequence else self._strided(first, stop)

    def _sequence(self, first: int, stop: int) -> Iterator[tuple[int, np.ndarray]]:
        array, order = self._array, self._layout.order
        slow = array.slow_to_fast
        shape = tuple(array.shape[axis] for axis in slow[1:])
        turn = (0, *(slow.index(axis) for axis in order[1:]))
        size = math.prod(shape) * array.stored.itemsize
        n, start = block_frames(self.facts), first
        try:
            with closing(array.open_stream()) as stream:
                skipped = self._skip_frames(stream, first, size)
                if skipped < first:
                    raise BrokenPartError(skipped, "the data end early")
                while start < stop:
                    wanted = min(n, stop - start)
                    raw = _read(stream, wanted * size)
                    whole = len(raw) // size
                    frames = np.frombuffer(raw, array.stored, whole * size // array.stored.itemsize)
                    turned = frames.reshape(whole, *shape).transpose(turn)
                    if whole:
                        yield start, np.array(turned, self.facts.dtype, order="C")
                    start += whole
                    if whole < wanted:
                        raise BrokenPartError(start, "the data end early")
                if stop == self.n_frames and array.offset is None:
                    _skip(stream, TAIL_BYTES)
        except STREAM_ERRORS as error:
            # a checksum does not say where the damage is: no frame before it can be vouched for
            raise BrokenPartError(0, f"the compressed data are damaged: {reason(error)}") from None

    def _skip_frames(self, stream: Stream, first: int, size: int) -> int:
        if self._array.offset is not None and hasattr(stream, "seek"):
            stream.seek(first * size, 1)
            return first
        return _skip(stream, first * size) // size

    def _strided(self, first: int, stop: int) -> Iterator[tuple[int, np.ndarray]]:
        array, order = self._array, self._layout.order
        kind: Literal["F", "C"] = "F" if array.fortran else "C"
        whole = load(array) if array.offset is None else None
        n = block_frames(self.facts, STRIDED_BLOCK_BYTES)
        for start in range(first, stop, n):
            where = [slice(None)] * 3
            where[order[0]] = slice(start, min(stop, start + n))
            if whole is None:
                # mapped anew for every block, so that its pages do not stay in this process
                source: np.ndarray = np.memmap(
                    self.path, array.stored, "r", array.offset or 0, array.shape, kind
                )
            else:
                source = whole
            yield (
                start,
                np.array(source[tuple(where)].transpose(order), self.facts.dtype, order="C"),
            )
