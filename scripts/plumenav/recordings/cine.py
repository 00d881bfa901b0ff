"""Phantom .cine files, uncompressed: the stored numbers and the camera's own clock.

Read here and not by FFmpeg, for three reasons: FFmpeg spreads 12 bits over 16; it takes the rate at
which the camera ran for the clock, which is ten times too high where every tenth image was saved;
and OpenCV crashes on the deep images that FFmpeg hands it bottom-up.

Layout (little-endian; Vision Research, "The Cine File Format"): a header of 44 bytes with the
number of saved images and the places of SETUP and of the images' index; a BITMAPINFOHEADER; SETUP
("ST" and its length at byte 140) with the flip at byte 760, the frame rate at 768, the colour
filter at 808 and the depth at 896; tagged blocks (length, type, reserved), of which type 1002 holds
one time per image in 2**-32 s, its two lowest bits being flags. Each image follows an annotation
that begins with its own length.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np

from plumenav.errors import UserError
from plumenav.recordings._contract import DamageError, Facts, Frames, Settings, frames_per_block

USES = ("channel",)
SIGNATURES = {"Phantom CINE": ((0, b"CI\x2c\x00"),)}

HEADER = struct.Struct("<2sHHHiIiIIIIII")
BITMAP = struct.Struct("<IiiHHIIiiII")
SETUP_MARK, SETUP_FLIP, SETUP_RATE, SETUP_FILTER, SETUP_DEPTH = 140, 760, 768, 808, 896
TIMES_BLOCK = 1002
# More tagged bytes, or larger images, than a camera writes: a damaged header.
LARGEST_TAGS, LARGEST_PIXELS = 2**28, 2**28
# bits of the bitmap: (numpy type, channels)
LAYOUTS = {8: ("<u1", 1), 16: ("<u2", 1), 24: ("<u1", 3), 48: ("<u2", 3)}
CHANNELS = {"blue": 0, "green": 1, "red": 2}
# Disagreement of two rates that deserves a note.
RATE_SLACK = 0.01


class Header(NamedTuple):
    """What the header says.

    Attributes
    ----------
    images : int
        Saved images.
    height, width, bits, stride : int
        Of an image: pixels, bits per pixel of the bitmap, bytes per row.
    bottom_up : bool
        True: the last row comes first.
    camera_rate_hz, camera_bits : int
        Rate at which the camera ran, and depth of its sensor.
    colour_filter : int
        0: none, or the colours are interpolated already.
    offsets : ndarray, shape (images,), uint64
        Where each image begins.
    time_s : ndarray, shape (images,), or None
        Time of each saved image since the first one, s; None if the camera stored none.
    """

    images: int
    height: int
    width: int
    bits: int
    stride: int
    bottom_up: bool
    camera_rate_hz: int
    camera_bits: int
    colour_filter: int
    offsets: np.ndarray
    time_s: np.ndarray | None


def image_times(tags: bytes, images: int) -> np.ndarray | None:
    """Times of the images, s since the first one, from the tagged blocks; None if there are none.

    Parameters
    ----------
    tags : bytes
    images : int

    Returns
    -------
    ndarray, shape (images,), or None
    """
    at = 0
    while images and at + 8 <= len(tags):
        size, kind = struct.unpack_from("<IH", tags, at)
        if kind == TIMES_BLOCK and 8 + 8 * images <= min(size, len(tags) - at):
            stamps = np.frombuffer(tags, "<u8", images, at + 8) & ~np.uint64(3)
            # differences first: seconds since 1970 leave 2e-7 s of a double
            since_first: np.ndarray = (stamps - stamps[0]).astype(np.int64) / 2.0**32
            return since_first
        if size < 8:
            break
        at += size
    return None


def read_header(path: Path) -> Header:
    """Header of a .cine file.

    Parameters
    ----------
    path : Path

    Returns
    -------
    Header

    Raises
    ------
    DamageError
        If it is cut off, or cannot be.
    UserError
        If the images are stored in a way that is not read here.
    """
    with path.open("rb") as file:
        try:
            *_, compression, _, _, _, _, images, bitmap_at, setup_at, index_at, _, _ = (
                HEADER.unpack(file.read(HEADER.size))
            )
            file.seek(bitmap_at)
            _, width, height, _, bits, packing, size, *_ = BITMAP.unpack(file.read(BITMAP.size))
            file.seek(setup_at)
            setup = file.read(SETUP_DEPTH + 4)
            flip, rate, colour_filter, depth = (
                struct.unpack_from("<I", setup, at)[0]
                for at in (SETUP_FLIP, SETUP_RATE, SETUP_FILTER, SETUP_DEPTH)
            )
            mark, length = struct.unpack_from("<2sH", setup, SETUP_MARK)
        except struct.error:
            raise _no_header(path, "the header is cut off") from None
        file.seek(setup_at + length)
        tags = file.read(min(max(0, index_at - setup_at - length), LARGEST_TAGS))
        file.seek(index_at)
        index = file.read(min(8 * images, path.stat().st_size))
    if mark != b"ST" or width <= 0 or height == 0 or abs(height) * width > LARGEST_PIXELS:
        raise _no_header(path, f"the header claims images of {height} x {width} pixels")
    if compression not in (0, 2) or packing or bits not in LAYOUTS or colour_filter:
        raise UserError(
            str(path),
            f"its images are compressed, packed or raw colour (compression {compression}, bitmap"
            f" {packing}, {bits} bits, colour filter {colour_filter})",
            "uncompressed gray or colour of 8 or 16 bits",
            "Save it from the camera's software as 16-bit TIFF, or as uncompressed .cine.",
        )
    stride = size // abs(height)
    if stride < width * bits // 8:
        raise _no_header(path, f"the header claims {size} bytes for {height} x {width} pixels")
    offsets = np.frombuffer(index, "<u8", len(index) // 8)
    bottom_up = (height > 0) != (flip != 0)
    return Header(
        images, abs(height), width, bits, stride, bottom_up, rate, depth, colour_filter, offsets,
        image_times(tags, images),
    )  # fmt: skip


def _no_header(path: Path, why: str) -> DamageError:
    return DamageError(
        str(path),
        f"{why}: 0 frames (0 s) are readable",
        "a complete .cine file",
        "Copy it again from the camera.",
        readable=0,
    )


class Cine:
    """An open .cine file; see :class:`plumenav.recordings._contract.Recording`."""

    def __init__(self, path: Path, settings: Settings) -> None:
        self.path = path
        self.header = header = read_header(path)
        self._kind, self._stored_channels = LAYOUTS[header.bits]
        self._channel, self._colour = settings.channel, settings.colour
        dtype = np.dtype(self._kind).newbyteorder("=")
        self.notes = ["numbers as stored"]
        if self._stored_channels == 3 and not self._colour:
            how = (
                "gray by BT.601 weights" if self._channel == "gray" else f"{self._channel} channel"
            )
            self.notes = [f"stored blue, green, red; {how}"]
        depth = header.camera_bits
        self.facts = Facts(
            reader="cine",
            decoder="plumenav",
            decoder_version="1",
            frames_header=header.images,
            rate_hz=self._rate(),
            height=header.height,
            width=header.width,
            dtype=str(dtype),
            bits=depth if dtype.itemsize == 2 and 8 < depth < 16 else 8 * dtype.itemsize,
            format=f"Phantom CINE, uncompressed, {header.bits} bits",
            channels=3 if self._colour and self._stored_channels == 3 else 1,
            extra={"camera_rate_hz": header.camera_rate_hz, "camera_bits": depth},
        )
        self._frame(0)  # refuses a file without a single image

    def _rate(self) -> float | None:
        """Rate of the saved images; without their stamps that of the camera."""
        rate = float(self.header.camera_rate_hz) or None
        times = self.header.time_s
        if times is None or len(times) < 2 or times[-1] <= 0:
            self.notes.append("no time stamps: the rate is the one at which the camera ran")
            return rate
        saved = float((len(times) - 1) / times[-1])
        if rate is not None and abs(saved - rate) > RATE_SLACK * rate:
            self.notes.append(
                f"the camera ran at {rate:g} frames per second, the saved images are {saved:.6g}"
                " per second by its own stamps: these count"
            )
        return saved

    def _frame(self, number: int) -> np.ndarray:
        """One image, shape (height, width) or (height, width, 3)."""
        header = self.header
        if number >= len(header.offsets):
            raise self._cut_off(number, "the index of images ends")
        size = self.path.stat().st_size
        start = int(header.offsets[number])
        length = header.stride * header.height
        with self.path.open("rb") as file:
            if start + 8 > size:
                raise self._cut_off(number, "the file ends")
            file.seek(start)
            (annotation,) = struct.unpack("<I", file.read(4))
            if not 8 <= annotation < 2**24:
                raise self._cut_off(number, "an image has no beginning")
            if start + annotation + length > size:
                raise self._cut_off(number, "the file ends")
            file.seek(start + annotation)
            data = file.read(length)
        rows = np.frombuffer(data, np.uint8).reshape(header.height, header.stride)
        image = rows[:, : header.width * header.bits // 8].copy().view(self._kind)
        image = image.astype(image.dtype.newbyteorder("="), copy=False)
        if header.bottom_up:
            image = image[::-1]
        if self._stored_channels == 3:
            image = image.reshape(header.height, header.width, 3)
        return image

    def _handed_out(self, image: np.ndarray) -> np.ndarray:
        """The image as asked for: one number per pixel, or blue, green and red."""
        if self._stored_channels == 1:
            return image
        if self._colour:
            return image
        if self._channel != "gray":
            return image[..., CHANNELS[self._channel]]
        return np.asarray(cv2.cvtColor(np.ascontiguousarray(image), cv2.COLOR_BGR2GRAY))

    def _time(self, number: int) -> float | None:
        """Time stamp of a frame, s."""
        times = self.header.time_s
        if times is not None:
            return float(times[number])
        return None if self.facts.rate_hz is None else number / self.facts.rate_hz

    def _cut_off(self, number: int, why: str) -> DamageError:
        last_s = self._time(number - 1) if number else None
        hint = f", or set reader.frames: [0, {number}] or reader.on_damage: truncate."
        return DamageError(
            str(self.path),
            f"{why}: {number} frames of {self.header.images} ({last_s or 0.0:.6f} s) are readable",
            "a complete .cine file",
            "Copy it again from the camera" + (hint if number > 1 else "."),
            readable=number,
            readable_s=last_s,
            promised=self.header.images,
        )

    def blocks(self, first: int = 0, end: int | None = None) -> Iterator[Frames]:
        """Frames in order; see the contract."""
        stop = self.header.images if end is None else end
        if not first < stop <= self.header.images:
            raise UserError(
                str(self.path),
                f"holds {self.header.images} frames",
                f"the frames [{first}, {'end' if end is None else end}) that are asked for",
                "Correct the range of frames in the config.",
            )
        facts = self.facts
        itemsize = np.dtype(facts.dtype).itemsize * facts.channels
        per_block = frames_per_block(facts.height, facts.width, itemsize)
        for start in range(first, stop, per_block):
            numbers = range(start, min(stop, start + per_block))
            frames = np.stack([self._handed_out(self._frame(number)) for number in numbers])
            times = [self._time(number) for number in numbers]
            stamps = None if facts.rate_hz is None else np.array(times, np.float64)
            yield Frames(start, stamps, frames)

    def close(self) -> None:
        """Nothing stays open between calls."""


def open(path: Path, settings: Settings) -> Cine:
    """Open a .cine file.

    Parameters
    ----------
    path : Path
    settings : Settings
        Used: `channel`, `colour`.

    Returns
    -------
    Cine

    Raises
    ------
    UserError
        If it is damaged, or its images are compressed.
    """
    return Cine(path, settings)
