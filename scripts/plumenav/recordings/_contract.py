"""What a reader is: one file that opens recordings of one family of formats, forwards only.

A reader file defines

    SIGNATURES : {format: ((offset, bytes), ...)}
        The bytes by which each format is known, whatever its name; a plain literal, because it is
        read without importing the file. All pairs must match; where several formats match, the one
        with the most matching bytes wins.
    FOLDERS : {format: (name, ...)}, optional
        Formats that are a folder, by the names of files in it of which one must be there.
    FRAME_FILES : like SIGNATURES, optional
        Formats of files that are one frame each, where a folder is the recording.
    USES : tuple of str, optional
        Those of dataset, time_dataset, axes and channel that have a meaning for these formats; the
        others are refused, because a setting that does nothing is its author's mistake. (All.)
    open(path, settings) -> Recording
        `settings` is a :class:`Settings`.

A file is damaged where it cannot be read any further: its reader raises :class:`DamageError` with
the number of sound frames before that place. It never hands out less without a word.

A reader gives the numbers as they are in the file, frame after frame, and says what it saw. It does
not crop, turn, calibrate or select by time; that is normalization. It never seeks by frame number
in a compressed movie: seeking is inexact, so it decodes from the start and counts.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple, Protocol

import numpy as np

from plumenav.errors import UserError

# Meaning of the axes of a movie, in the order in which readers hand them out.
AXES = ("frame", "row", "column")

# Raw bytes in one block of frames: large enough to hide calls, small enough to stay near the cache.
BLOCK_BYTES = 8 * 2**20


class Settings(NamedTuple):
    """What a reader is told.

    Attributes
    ----------
    name : str
        Reader, or auto: the one that the content asks for.
    dataset, time_dataset : str or None
        Name of the movie, and of its time stamps in s, in files that hold several things.
    axes : tuple of str, or None
        Meaning of the movie's three axes, in the order of numpy; None: see `shape`.
    channel : {"gray", "red", "green", "blue"}
        What becomes the number of a pixel of a colour recording.
    pattern : str or None
        Which files of a folder are the frames (frame_*.png); None: all images in it.
    shape : tuple of (int or None), length 3
        Frames, rows and columns that the recording is known to have: from them the order of axes
        is recognized where it is not declared.
    colour : bool
        True: hand out blue, green and red (see :class:`Frames`), for a picture in false colour.
    """

    name: str = "auto"
    dataset: str | None = None
    time_dataset: str | None = None
    axes: tuple[str, str, str] | None = None
    channel: str = "gray"
    pattern: str | None = None
    shape: tuple[int | None, int | None, int | None] = (None, None, None)
    colour: bool = False


class DamageError(UserError):
    """A file that is sound only up to some frame.

    Parameters
    ----------
    where, found, allowed, hint : str
        The message, as of :class:`UserError`.
    readable : int
        Sound frames, counted from the start of the file.
    readable_s : float or None
        Time of the last of them in the file, s; None where the file has no clock.
    promised : int or None
        Frames that the file promises; None if it does not say.
    """

    def __init__(
        self,
        where: str,
        found: str,
        allowed: str = "",
        hint: str = "",
        *,
        readable: int,
        readable_s: float | None = None,
        promised: int | None = None,
    ) -> None:
        super().__init__(where, found, allowed, hint)
        self.readable, self.readable_s, self.promised = readable, readable_s, promised

    @property
    def lost(self) -> int | None:
        """Frames that were promised and cannot be read; None if the file does not say."""
        return None if self.promised is None else max(0, self.promised - self.readable)


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
    format : str
        Container and codec, or layout, in a reader's words ("AVI, MJPG"; "float32 (row, column,
        frame), gzip").
    channels : int
        1: gray; 3: blue, green, red.
    extra : dict
        What else the file says of itself, JSON-able, for `plumenav probe`.
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
    format: str = ""
    channels: int = 1
    extra: dict[str, Any] = {}  # noqa: RUF012 - nothing writes to it


class Frames(NamedTuple):
    """Consecutive frames as they are in the file.

    Attributes
    ----------
    first : int
        Number of the first frame, counted in the file from 0.
    time_s : ndarray, shape (n,), float64, or None
        The file's own time stamps, s; None where it has none.
    frames : ndarray, shape (n, height, width), or (n, height, width, 3) if colour is asked for
        Raw numbers, one gray level per pixel (or blue, green, red), in native byte order; the
        caller may keep them.
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
        DamageError
            Naming the file, how many frames and seconds are readable, and what to do.
        UserError
            If frames are asked for that the recording does not have.
        """
        ...

    def close(self) -> None:
        """Release the file; a second time it does nothing."""
        ...


def frames_per_block(height: int, width: int, itemsize: int, limit: int = BLOCK_BYTES) -> int:
    """Frames in one block of at most `limit` bytes (at least one)."""
    return max(1, limit // max(1, height * width * itemsize))
