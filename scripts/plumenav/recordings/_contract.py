"""What a reader is: one file that opens recordings of one family of formats, forwards only.

A reader file defines

    SIGNATURES : {format: ((offset, bytes), ...)}
        The bytes by which each format is known, whatever its name; a plain literal, because it is
        read without importing the file. All pairs must match; where several formats match, the one
        with the most matching bytes wins.
    open(path, settings) -> Recording
        `settings` is the dump of :class:`plumenav.config.schema.Reader`.

A reader gives the numbers as they are in the file, frame after frame, and says what it saw. It does
not crop, turn, calibrate or select by time; that is normalization. It never seeks by frame number
in a compressed movie: seeking is inexact, so it decodes from the start and counts.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple, Protocol

import numpy as np

# Raw bytes in one block of frames: large enough to hide calls, small enough to stay near the cache.
BLOCK_BYTES = 8 * 2**20


class Facts(NamedTuple):
    """What a recording says of itself.

    Attributes
    ----------
    reader : str
        Name of the reader.
    decoder, decoder_version : str
        The library that turns the file into numbers: two decoders give different ones.
    frames_header : int or None
        Frames that the header promises; None if it promises none.
    rate_hz : float or None
        Nominal frames per second; None if the file does not say.
    height, width : int
        Size of the file's own image, pixels.
    dtype : str
        numpy name of the numbers as read.
    bits : int
        Bits per pixel that carry information in the numbers as read.
    """

    reader: str
    decoder: str
    decoder_version: str
    frames_header: int | None
    rate_hz: float | None
    height: int
    width: int
    dtype: str
    bits: int


class Frames(NamedTuple):
    """Consecutive frames as they are in the file.

    Attributes
    ----------
    first : int
        Number of the first frame, counted in the file from 0.
    time_s : ndarray, shape (n,), float64, or None
        The file's own time stamps, s; None where it has none.
    frames : ndarray, shape (n, height, width)
        Raw numbers, one gray level per pixel, in native byte order; the caller may keep them.
    """

    first: int
    time_s: np.ndarray | None
    frames: np.ndarray


class Recording(Protocol):
    """An open recording.

    Attributes
    ----------
    facts : Facts
    notes : list of str
        What a reader of the report should know (conversions, small disagreements with the header);
        grows while frames are read.
    """

    facts: Facts
    notes: list[str]

    def blocks(self, first: int = 0, end: int | None = None) -> Iterator[Frames]:
        """Frames `first` .. `end` - 1 in order, from the start of the file at every call.

        With ``end=None`` everything is read, and a file that holds less than it promises, or is
        damaged, is refused. With a number, only the frames before it have to be sound.

        Raises
        ------
        UserError
            Naming the file, how many frames and seconds are readable, and what to do.
        """
        ...

    def close(self) -> None:
        """Release the file."""
        ...


def frames_per_block(height: int, width: int, itemsize: int, limit: int = BLOCK_BYTES) -> int:
    """Frames in one block of at most `limit` bytes (at least one)."""
    return max(1, limit // max(1, height * width * itemsize))
