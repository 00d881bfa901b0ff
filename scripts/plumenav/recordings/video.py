"""Video files, decoded by OpenCV's FFmpeg, forwards only, gray, in the depth of the file.

How a pixel becomes one number (written into the notes of every recording):

* gray video of 8 or 16 bits: the stored number, untouched. (OpenCV's default path would cut 16 bits
  to 8 without a word.)
* MJPEG whose three decoded channels are equal: the luma plane, which is that channel; checked on
  the first frame, and saves the conversion.
* everything else: OpenCV's 8-bit BGR, then BT.601 luma (``cv2.COLOR_BGR2GRAY``, which leaves equal
  channels as they are). Deeper video is cut to 8 bits there, and the notes say so.

A damaged or cut-off file opens, promises all its frames and hands out garbage; only the decoder's
messages on file descriptor 2 and the count of what arrives tell. Both are checked.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np

from plumenav.errors import UserError
from plumenav.recordings._contract import Facts, Frames, Settings, frames_per_block
from plumenav.recordings._stderr import stderr_lines

logger = logging.getLogger(__name__)

SIGNATURES = {
    "AVI": ((0, b"RIFF"), (8, b"AVI ")),
    "MP4/MOV": ((4, b"ftyp"),),
    "old MOV": ((4, b"moov"),),
    "old MOV, index last": ((4, b"mdat"),),
    "Matroska/WebM": ((0, b"\x1aE\xdf\xa3"),),
    "Ogg": ((0, b"OggS"),),
    "MPEG program": ((0, b"\x00\x00\x01\xba"),),
    "MPEG video": ((0, b"\x00\x00\x01\xb3"),),
    "WMV/ASF": ((0, b"0&\xb2u\x8ef\xcf\x11"),),
    "FLV": ((0, b"FLV"),),
    "GIF": ((0, b"GIF8"),),
}

# Healthy files may miss the header's count by one (a last frame without duration): a note. More is
# an error.
COUNT_SLACK = 2
GRAY8, GRAY16 = b"Y800", b"Y1\x00\x10"
# "[mjpeg @ 0x55d8...] error y=13 x=5": any message of a codec or a demuxer while frames are read.
COMPLAINT = re.compile(r"^\[[^\]@]+ @ 0x[0-9a-f]+\]\s*(.*)")


class _Block(NamedTuple):
    """What one call of :func:`_fill` got."""

    frames: np.ndarray
    time_s: np.ndarray
    complaints: list[str]


def _complaints(lines: list[str]) -> list[str]:
    """The decoder's own messages among what was heard."""
    return [match.group(1) for line in lines if (match := COMPLAINT.match(line))]


def _capture(path: Path, raw: bool, threads: int = 0) -> cv2.VideoCapture:
    """Open a file; `raw` hands out the decoder's first plane instead of BGR; 0: default threads."""
    options = [cv2.CAP_PROP_N_THREADS, threads] if threads else []
    capture = cv2.VideoCapture(str(path), cv2.CAP_FFMPEG, options)
    capture.set(cv2.CAP_PROP_CONVERT_RGB, 0 if raw else 1)
    return capture


def _four(capture: cv2.VideoCapture, prop: int) -> bytes:
    """A property that holds four characters."""
    return (int(capture.get(prop)) & 0xFFFFFFFF).to_bytes(4, "little")


def _first(path: Path, raw: bool) -> np.ndarray | None:
    """The first frame, or None."""
    capture = _capture(path, raw)
    arrived, image = capture.read()
    capture.release()
    return np.asarray(image) if arrived else None


def _luma_is_gray(path: Path, converted: np.ndarray) -> bool:
    """True if the luma plane of the first frame equals all three channels of the converted one."""
    luma = _first(path, raw=True)
    return (
        luma is not None
        and luma.dtype == converted.dtype
        and luma.shape == converted.shape[:2]
        and all(np.array_equal(luma, converted[..., channel]) for channel in range(3))
    )


def _fill(capture: cv2.VideoCapture, wanted: int, facts: Facts) -> _Block:
    """Decode up to `wanted` frames; fewer arrive only at the end of the file."""
    frames = np.empty((wanted, facts.height, facts.width), facts.dtype)
    time_s = np.empty(wanted)
    n = 0
    with stderr_lines() as lines:
        while n < wanted:
            arrived, image = capture.read()
            if not arrived:
                break
            if image.ndim == 3:
                cv2.cvtColor(image, cv2.COLOR_BGR2GRAY, dst=frames[n])
            else:
                frames[n] = image
            time_s[n] = capture.get(cv2.CAP_PROP_POS_MSEC) / 1000.0
            n += 1
    return _Block(frames[:n], time_s[:n], _complaints(lines))


def _first_damage(path: Path, raw: bool, end: int | None) -> tuple[int, float] | None:
    """Where the decoder first complains, decoding again in one thread, frame by frame.

    (With several threads it complains about frames that are still to come.)

    Returns
    -------
    tuple or None
        Number of sound frames and the time stamp of the last of them, s.
    """
    with stderr_lines():
        capture = _capture(path, raw, threads=1)
    number, last_s = 0, 0.0
    try:
        while end is None or number < end:
            with stderr_lines() as lines:
                arrived = capture.grab() and capture.retrieve()[0]
            if _complaints(lines):
                return number, last_s
            if not arrived:
                return None
            last_s = capture.get(cv2.CAP_PROP_POS_MSEC) / 1000.0
            number += 1
        return None
    finally:
        capture.release()


class Video:
    """An open video; see :class:`plumenav.recordings._contract.Recording`."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.notes: list[str] = []
        with stderr_lines() as lines:
            capture = _capture(path, raw=False)
            opened = capture.isOpened()
            count = capture.get(cv2.CAP_PROP_FRAME_COUNT)
            rate = capture.get(cv2.CAP_PROP_FPS)
            codec = _four(capture, cv2.CAP_PROP_FOURCC)
            pixel = _four(capture, cv2.CAP_PROP_CODEC_PIXEL_FORMAT)
            capture.release()
            image = _first(path, raw=False) if opened else None
            self._raw = image is not None and (
                pixel in (GRAY8, GRAY16) or (codec == b"MJPG" and _luma_is_gray(path, image))
            )
            if self._raw:
                image = _first(path, raw=True)
        if image is None:
            raise self._unreadable(opened, int(count), _complaints(lines))
        self._describe(pixel, codec)
        self.facts = Facts(
            reader="video",
            decoder="OpenCV FFmpeg",
            decoder_version=_decoder_version(),
            frames_header=int(count) if 0 < count < 2**31 else None,
            rate_hz=float(rate) if 0 < rate < 1e6 else None,
            height=image.shape[0],
            width=image.shape[1],
            dtype=str(image.dtype),
            bits=image.dtype.itemsize * 8,
        )

    def _describe(self, pixel: bytes, codec: bytes) -> None:
        # FFmpeg's planar formats are named Y3 0 10: family, planes, subsampling, bits
        deep = pixel[:1] in b"YG" and pixel[1:2] in b"1234" and 8 < pixel[3] <= 16
        if pixel in (GRAY8, GRAY16):
            self.notes.append("gray levels as stored")
        elif self._raw:
            self.notes.append("luma plane of a gray MJPEG")
        else:
            self.notes.append("8-bit BGR to gray by BT.601 weights")
        if deep and not self._raw:
            self.notes.append(f"the file has {pixel[3]} bits per channel, the decoder gives 8")
            logger.warning("%s: %s", self.path.name, self.notes[-1])

    def _unreadable(self, opened: bool, count: int, complaints: list[str]) -> UserError:
        said = f" (the decoder says: {complaints[0]})" if complaints else ""
        what = "is opened but gives no frame" if opened else "holds no video that can be opened"
        promised = f" of {count} promised" if count > 0 else ""
        return UserError(
            str(self.path),
            f"{what}{said}: 0 frames{promised} (0 s) are readable",
            "a complete video with at least one frame",
            "The file may be cut off before its index, have no picture track or an unknown codec:"
            " copy it again from the camera, or convert it (FFV1 or MJPEG in AVI).",
        )

    def _cut_off(self, n: int, seconds: float, why: str) -> UserError:
        promised = f" of {self.facts.frames_header}" if self.facts.frames_header else ""
        return UserError(
            str(self.path),
            f"{why}: {n} frames{promised} ({seconds:.3f} s) are readable",
            "a complete, undamaged video",
            "Copy it again from the camera"
            + (f", or use the sound part with reader.frames: [0, {n}]." if n > 1 else "."),
        )

    def blocks(self, first: int = 0, end: int | None = None) -> Iterator[Frames]:
        """Frames in order; see the contract."""
        facts = self.facts
        per_block = frames_per_block(facts.height, facts.width, facts.bits // 8)
        with stderr_lines():
            capture = _capture(self.path, self._raw)
        number = 0
        # one block is held back, because the last time stamp of a file may need mending
        held: Frames | None = None
        try:
            while end is None or number < end:
                part = first - number if number < first else per_block
                block = _fill(capture, min(part, per_block, (end or 2**62) - number), facts)
                if block.complaints:
                    self._refuse_damage(block.complaints, number, end)
                if not len(block.frames):
                    break
                if number >= first:
                    if held is not None:
                        yield held
                    held = Frames(number, block.time_s, block.frames)
                number += len(block.frames)
        finally:
            capture.release()
        last_s = float(held.time_s[-1]) if held and held.time_s is not None else 0.0
        self._check_count(number, last_s, first, end)
        if held is not None:
            yield self._mended(held)

    def _refuse_damage(self, complaints: list[str], number: int, end: int | None) -> None:
        damage = _first_damage(self.path, self._raw, end)
        if damage is None and end is not None:
            return  # it lies behind the last frame that is asked for
        n, seconds = damage or (number, 0.0)
        raise self._cut_off(n, seconds, f"is damaged (the decoder says: {complaints[0]})")

    def _check_count(self, number: int, last_s: float, first: int, end: int | None) -> None:
        promised = self.facts.frames_header
        if number < (first + 1 if end is None else end):
            raise UserError(
                str(self.path),
                f"holds {number} frames ({last_s:.3f} s)",
                f"the frames [{first}, {'end' if end is None else end}) that are asked for",
                "Correct the range of frames in the config.",
            )
        if end is None and promised is not None and number != promised:
            if promised - number > COUNT_SLACK:
                raise self._cut_off(number, last_s, "ends early")
            note = f"the header promises {promised} frames, {number} arrived"
            if note not in self.notes:
                self.notes.append(note)

    def _mended(self, block: Frames) -> Frames:
        """Some containers give the last frame the time stamp 0: continue at the nominal rate."""
        stamps = block.time_s
        rate = self.facts.rate_hz
        if stamps is None or rate is None or len(stamps) < 2 or stamps[-1] != 0 or stamps[-2] <= 0:
            return block
        stamps[-1] = stamps[-2] + 1.0 / rate
        self.notes.append("the last time stamp was 0; continued at the nominal rate")
        return block

    def close(self) -> None:
        """Nothing stays open between calls."""


def _decoder_version() -> str:
    """Version of OpenCV and of the libavcodec inside it."""
    found = re.search(r"avcodec:\s+YES \(([\d.]+)\)", cv2.getBuildInformation())
    return f"{cv2.__version__} (avcodec {found.group(1) if found else 'unknown'})"


def open(path: Path, settings: Settings) -> Video:
    """Open a video.

    Parameters
    ----------
    path : Path
    settings : Settings

    Returns
    -------
    Video

    Raises
    ------
    UserError
        If no frame can be read.
    """
    return Video(path)
