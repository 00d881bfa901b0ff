"""Recordings as 8-bit video: MJPEG and FFV1, in AVI.

The MJPEG of cv2.VideoWriter is not used: with one build its own encoder scrambled gray frames, and
the other back end took no quality. The JPEG frames are cv2's; the AVI around them is written here.
"""

from __future__ import annotations

import struct
from fractions import Fraction
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from plumenav.errors import UserError
from plumenav.recordings.synthesis._contract import WHERE
from plumenav.recordings.synthesis._file_writer import FileWriter
from plumenav.recordings.synthesis._params import FileParams

LARGEST_AVI = 2**32 - 2**20  # bytes; sizes and offsets are 32-bit, and the index must fit


class MjpegAviWriter(FileWriter):
    """Gray JPEG frames in an AVI 1.0 container with its index."""

    dtype = np.dtype(np.uint8)
    suffixes = (".avi",)

    def __init__(self, path: Path, settings: FileParams) -> None:
        super().__init__(path, settings)
        self._quality = settings.jpeg_quality
        self._size = (settings.width_px, settings.height_px)
        self._rate = Fraction(settings.frame_rate_hz).limit_denominator(1_000_000)
        self._entries: list[tuple[int, int]] = []  # offset from "movi", bytes

    def _open(self, temporary: Path) -> None:
        self._file: BinaryIO = open(temporary, "wb")  # noqa: SIM115 - _close does
        self._file.write(self._header(0, 0))
        self._movi = self._file.tell() - 4

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

    def _close(self) -> None:
        self._file.close()


def _chunk(name: bytes, content: bytes) -> bytes:
    """RIFF chunk: name, length, content, padded to an even length."""
    return name + struct.pack("<I", len(content)) + content + b"\0" * (len(content) % 2)


class Ffv1AviWriter(FileWriter):
    """Gray FFV1 frames in AVI, by OpenCV's FFmpeg: every pixel comes back as it was.

    Not Matroska, whose files hold a random number.
    """

    dtype = np.dtype(np.uint8)
    suffixes = (".avi",)

    def __init__(self, path: Path, settings: FileParams) -> None:
        super().__init__(path, settings)
        for key in ("height_px", "width_px"):
            size = getattr(settings, key)
            if size % 2:  # OpenCV would cut the last row or column off without a word
                raise UserError(f"{WHERE}.{key}", f"{size} for the format ffv1_avi", "even numbers")

    def _open(self, temporary: Path) -> None:
        import cv2

        _, height, width = self._shape
        self._video: Any = cv2.VideoWriter(
            str(temporary),
            cv2.CAP_FFMPEG,
            cv2.VideoWriter.fourcc(*"FFV1"),
            self._settings.frame_rate_hz,
            (width, height),
            [cv2.VIDEOWRITER_PROP_IS_COLOR, 0],
        )
        if not self._video.isOpened():
            raise OSError(f"{self._path}: this OpenCV cannot write FFV1")

    def write(self, frame: np.ndarray) -> None:
        """Append one frame, shape (height, width), uint8."""
        self._video.write(frame)

    def _close(self) -> None:
        self._video.release()
