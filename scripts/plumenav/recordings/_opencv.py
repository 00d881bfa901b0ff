"""OpenCV's FFmpeg, one step above its calls: what a video is, its frames, and its complaints."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np

from plumenav import guard
from plumenav.recordings._stderr import stderr_lines

GRAY8, GRAY16 = b"Y800", b"Y1\x00\x10"
# "[mjpeg @ 0x55d8...] error y=13 x=5": any message of a codec or a demuxer while frames are read.
COMPLAINT = re.compile(r"^\[[^\]@]+ @ 0x[0-9a-f]+\]\s*(.*)")
# A larger picture is a damaged header: no camera has 2**28 pixels, and decoding takes gigabytes.
LARGEST_PIXELS = 2**28
# FFmpeg's tags of planar formats: family and planes, then subsampling and bits.
PLANAR = {b"Y1": "gray", b"Y2": "gray and alpha", b"Y3": "YUV", b"Y4": "YUVA"}
PLANAR |= {b"G3": "GBR", b"G4": "GBRA"}
SUBSAMPLING = {0: "4:4:4", 10: "4:2:2", 11: "4:2:0"}
DAMAGE_PROGRESS_FRAMES = 64


class Stream(NamedTuple):
    """What the container says of its picture track.

    Attributes
    ----------
    frames, rate_hz : float
        Frames (or duration times rate, where the container does not count), frames per second.
    codec, pixel : bytes, length 4
        FFmpeg's tags of the codec and of the decoder's picture.
    rotation_deg : float
        Turn that the file asks for when it is shown.
    height, width : float
        Pixels, before the turn.
    """

    frames: float
    rate_hz: float
    codec: bytes
    pixel: bytes
    rotation_deg: float
    height: float
    width: float


def decoder_version() -> str:
    """Version of OpenCV and of the libavcodec inside it."""
    found = re.search(r"avcodec:\s+YES \(([\d.]+)\)", cv2.getBuildInformation())
    return f"{cv2.__version__} (avcodec {found.group(1) if found else 'unknown'})"


def open_capture(path: Path, raw: bool, threads: int = 0) -> cv2.VideoCapture:
    """Open a file; `raw` hands out the decoder's first plane instead of BGR; 0: default threads."""
    options = [cv2.CAP_PROP_N_THREADS, threads] if threads else []
    capture = cv2.VideoCapture(str(path), cv2.CAP_FFMPEG, options)
    capture.set(cv2.CAP_PROP_CONVERT_RGB, 0 if raw else 1)
    return capture


def _four(capture: cv2.VideoCapture, prop: int) -> bytes:
    """A property that holds four characters."""
    return (int(capture.get(prop)) & 0xFFFFFFFF).to_bytes(4, "little")


def stream_of(capture: cv2.VideoCapture) -> Stream:
    """What an open capture says of its file."""
    return Stream(
        capture.get(cv2.CAP_PROP_FRAME_COUNT),
        capture.get(cv2.CAP_PROP_FPS),
        _four(capture, cv2.CAP_PROP_FOURCC),
        _four(capture, cv2.CAP_PROP_CODEC_PIXEL_FORMAT),
        capture.get(cv2.CAP_PROP_ORIENTATION_META),
        capture.get(cv2.CAP_PROP_FRAME_HEIGHT),
        capture.get(cv2.CAP_PROP_FRAME_WIDTH),
    )


def codec_name(codec: bytes) -> str:
    """Name of a codec: its four characters, or that there is none.

    Examples
    --------
    >>> codec_name(b"MJPG"), codec_name(bytes(4))
    ('MJPG', 'uncompressed')
    """
    return codec.decode("latin-1").strip() if codec.strip(b"\0 ") else "uncompressed"


def picture_format(pixel: bytes) -> tuple[str, int]:
    """Layout of the decoder's picture, and bits per channel, from FFmpeg's tag.

    Examples
    --------
    >>> picture_format(b"Y3" + bytes([11, 10])), picture_format(b"I420")
    (('YUV 4:2:0, 10 bits', 10), ('I420', 8))
    """
    family, sampling, bits = pixel[:2], pixel[2], pixel[3]
    if pixel[2:] in PLANAR or pixel[2:][::-1] in PLANAR:  # big-endian tags are written backwards
        family, sampling, bits = pixel[:1:-1], pixel[1], pixel[0]
    if family in PLANAR and 0 < bits <= 32:
        chroma = f" {SUBSAMPLING[sampling]}" if sampling in SUBSAMPLING and family != b"Y1" else ""
        return f"{PLANAR[family]}{chroma}, {bits} bits", bits
    text = "".join(chr(c) for c in pixel if 32 < c < 127)
    return text or "unknown", 8


def complaints(lines: list[str]) -> list[str]:
    """The decoder's own messages among what was heard."""
    return [match.group(1) for line in lines if (match := COMPLAINT.match(line))]


@contextmanager
def listening() -> Iterator[list[str]]:
    """Collect a decoder's complaints inside the block, what it throws included.

    Yields
    ------
    list of str
        Empty until the block has ended.
    """
    said: list[str] = []
    thrown: list[str] = []
    with stderr_lines() as lines:
        try:
            yield said
        except (cv2.error, MemoryError) as error:
            thrown.append(" ".join(str(error).split()) or type(error).__name__)
    said.extend(complaints(lines) + thrown)


def first_image(path: Path, raw: bool) -> np.ndarray | None:
    """The first frame, or None."""
    capture = open_capture(path, raw)
    try:
        arrived, image = capture.read()
    finally:
        capture.release()
    return np.asarray(image) if arrived else None


def first_damage(
    path: Path, raw: bool, expected: tuple[tuple[int, ...], np.dtype]
) -> tuple[int, float] | None:
    """Where the decoder first complains, decoding again in one thread, frame by frame.

    (With several threads it complains about frames that are still to come.)

    Parameters
    ----------
    path : Path
    raw : bool
    expected : (shape, dtype)
        Of a sound picture.

    Returns
    -------
    tuple or None
        Number of sound frames and the time stamp of the last of them, s; None if it reads
        everything without a complaint.
    """
    with listening():
        capture = open_capture(path, raw, threads=1)
    number, last_s = 0, 0.0
    try:
        while True:
            arrived, image = False, None
            with listening() as said:
                arrived, image = capture.read()
            if said or (image is not None and (image.shape, image.dtype) != expected):
                return number, last_s
            if not arrived:
                return None
            last_s = capture.get(cv2.CAP_PROP_POS_MSEC) / 1000.0
            number += 1
            if number % DAMAGE_PROGRESS_FRAMES == 0:
                guard.progress(number, last_s)
    finally:
        capture.release()
