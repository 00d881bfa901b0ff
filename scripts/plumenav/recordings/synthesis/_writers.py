"""Files that a synthetic recording can be: written frame by frame, under a temporary name.

cv2.VideoWriter is not used: with one build its own MJPEG encoder scrambled gray frames, and the
other back end took no quality. The JPEG frames are cv2's; the AVI around them is written here.
"""

from __future__ import annotations

import struct
from contextlib import AbstractContextManager
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Protocol

import numpy as np

from plumenav.errors import UserError
from plumenav.recordings.synthesis._params import FileParams
from plumenav.tables import atomic

LARGEST_AVI = 2**32 - 2**20  # bytes; sizes and offsets are 32-bit, and the index must fit


class Writer(Protocol):
    """Takes frames one by one; a context manager whose file appears when it ends well."""

    @property
    def dtype(self) -> np.dtype:
        """Type of the frames."""

    def __enter__(self) -> Writer: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...

    def write(self, frame: np.ndarray) -> None:
        """Append one frame, shape (height, width), in the writer's dtype."""


class Hdf5Writer:
    """One float32 dataset (frame, row, column), contiguous, without attributes or time stamps.

    Parameters
    ----------
    path : path
    settings : FileParams
    """

    dtype = np.dtype(np.float32)
    suffixes = (".h5", ".hdf5")
    batch = 8  # frames per write: fewer are slower, more leave the processor's cache

    def __init__(self, path: Path, settings: FileParams) -> None:
        self._atomic: AbstractContextManager[Path] = atomic(path)
        self._name = settings.dataset
        self._shape = (settings.frames, settings.height_px, settings.width_px)
        self._block = np.empty((self.batch, *self._shape[1:]), np.float32)
        self._done = self._waiting = 0

    def __enter__(self) -> Hdf5Writer:
        import h5py

        self._file = h5py.File(self._atomic.__enter__(), "w")
        self._data = self._file.create_dataset(self._name, self._shape, np.float32)
        return self

    def write(self, frame: np.ndarray) -> None:
        """Append one frame, shape (height, width), float32."""
        self._block[self._waiting] = frame
        self._waiting += 1
        if self._waiting == self.batch:
            self._flush()

    def _flush(self) -> None:
        if self._waiting:
            last = self._done + self._waiting
            self._data[self._done : last] = self._block[: self._waiting]
            self._done, self._waiting = last, 0

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            if kind is None:
                self._flush()
        except BaseException as fault:
            self._file.close()
            self._atomic.__exit__(type(fault), fault, fault.__traceback__)
            raise
        self._file.close()
        self._atomic.__exit__(kind, error, trace)


class MjpegAviWriter:
    """Gray JPEG frames in an AVI 1.0 container with its index.

    Parameters
    ----------
    path : path
    settings : FileParams
    """

    dtype = np.dtype(np.uint8)
    suffixes = (".avi",)

    def __init__(self, path: Path, settings: FileParams) -> None:
        self._path = path
        self._atomic: AbstractContextManager[Path] = atomic(path)
        self._quality = settings.jpeg_quality
        self._size = (settings.width_px, settings.height_px)
        self._rate = Fraction(settings.frame_rate_hz).limit_denominator(1_000_000)
        self._entries: list[tuple[int, int]] = []  # offset from "movi", bytes

    def __enter__(self) -> MjpegAviWriter:
        self._file: BinaryIO = open(self._atomic.__enter__(), "wb")
        self._file.write(self._header(0, 0))
        self._movi = self._file.tell() - 4
        return self

    def write(self, frame: np.ndarray) -> None:
        """Append one frame, shape (height, width), uint8.

        Raises
        ------
        UserError
            When the file would grow beyond what the format can hold.
        """
        import cv2

        done, jpeg = cv2.imencode(".jpg", frame, [cv2.IMWRITE_JPEG_QUALITY, self._quality])
        if not done:
            raise OSError(f"{self._path}: frame {len(self._entries)} could not be compressed")
        start = self._file.tell()
        if start + len(jpeg) + 24 * (len(self._entries) + 1) > LARGEST_AVI:
            raise UserError(
                str(self._path),
                f"an AVI file is full after {len(self._entries)} frames",
                "4 GB",
                "Use fewer frames, a lower jpeg_quality or the format hdf5.",
            )
        self._entries.append((start - self._movi, len(jpeg)))
        self._file.write(b"00dc" + struct.pack("<I", len(jpeg)) + jpeg.tobytes())
        self._file.write(b"\0" * (len(jpeg) % 2))

    def _header(self, file_bytes: int, movi_bytes: int) -> bytes:
        """RIFF header up to and with the list type "movi"; the same length for all numbers."""
        width, height = self._size
        n, largest = len(self._entries), max((size for _, size in self._entries), default=0)
        rate, scale = self._rate.numerator, self._rate.denominator
        has_index = 0x10
        main = struct.pack(
            "<14I",
            round(1e6 / self._rate),
            0,
            0,
            has_index,
            n,
            0,
            1,
            largest,
            width,
            height,
            *[0] * 4,
        )
        stream = struct.pack(
            "<4s4sI2H8I4h",
            *(b"vids", b"MJPG", 0, 0, 0, 0, scale, rate, 0, n, largest, 0xFFFFFFFF, 0),
            *(0, 0, width, height),
        )
        picture = struct.pack(
            "<IiiHH4sIiiII", 40, width, height, 1, 24, b"MJPG", width * height * 3, 0, 0, 0, 0
        )
        strl = b"strl" + _chunk(b"strh", stream) + _chunk(b"strf", picture)
        hdrl = b"hdrl" + _chunk(b"avih", main) + _chunk(b"LIST", strl)
        riff = b"RIFF" + struct.pack("<I", max(file_bytes - 8, 0)) + b"AVI "
        movi = b"LIST" + struct.pack("<I", movi_bytes) + b"movi"
        return riff + _chunk(b"LIST", hdrl) + movi

    def _finish(self) -> None:
        movi_bytes = self._file.tell() - self._movi
        key_frame = 0x10
        index = b"".join(
            struct.pack("<4sIII", b"00dc", key_frame, offset, size)
            for offset, size in self._entries
        )
        self._file.write(_chunk(b"idx1", index))
        file_bytes = self._file.tell()
        self._file.seek(0)
        self._file.write(self._header(file_bytes, movi_bytes))

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            if kind is None:
                self._finish()
        except BaseException as fault:
            self._file.close()
            self._atomic.__exit__(type(fault), fault, fault.__traceback__)
            raise
        self._file.close()
        self._atomic.__exit__(kind, error, trace)


def _chunk(name: bytes, content: bytes) -> bytes:
    """RIFF chunk: name, length, content, padded to an even length."""
    return name + struct.pack("<I", len(content)) + content + b"\0" * (len(content) % 2)


FORMATS: dict[str, type[Hdf5Writer] | type[MjpegAviWriter]] = {
    "hdf5": Hdf5Writer,
    "mjpeg_avi": MjpegAviWriter,
}


def open_writer(path: Path, file_format: str, settings: FileParams) -> Writer:
    """Writer of a file format.

    Raises
    ------
    UserError
        If the format is not known, or the file's ending does not belong to it.
    """
    if file_format not in FORMATS:
        raise UserError("synthetic.format", f"{file_format!r} is not a format", ", ".join(FORMATS))
    kind = FORMATS[file_format]
    if path.suffix not in kind.suffixes:
        raise UserError(
            str(path), f"ending {path.suffix!r} for format {file_format}", ", ".join(kind.suffixes)
        )
    return kind(path, settings)
