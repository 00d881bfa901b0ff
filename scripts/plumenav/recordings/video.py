"""Video files, decoded by OpenCV's FFmpeg, forwards only, in the depth of the file.

How a pixel becomes one number (written into the notes of every recording):

* gray video of 8 or 16 bits: the stored number, untouched. (OpenCV's default path would cut 16 bits
  to 8 without a word.)
* MJPEG whose three decoded channels are equal: the luma plane, which is that channel; checked on
  the first frame, and saves the conversion.
* everything else: OpenCV's 8-bit BGR, then BT.601 luma (``cv2.COLOR_BGR2GRAY``, which leaves equal
  channels as they are), or one channel, or all three. Deeper video is cut to 8 bits there, and the
  notes say so.

A damaged or cut-off file opens, promises all its frames and hands out garbage; only the decoder's
messages on file descriptor 2 and the count of what arrives tell. Both are checked.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import numpy as np

from plumenav import guard
from plumenav.errors import UserError
from plumenav.recordings import _opencv as decoder
from plumenav.recordings._containers import is_cut_off, lacks_end_code
from plumenav.recordings._contract import (
    DamageError,
    Facts,
    Frames,
    Settings,
    frames_per_block,
)
from plumenav.recordings._opencv import GRAY8, GRAY16, Stream
from plumenav.recordings._recognize import HEAD_BYTES, matching_bytes
from plumenav.recordings._stamps import Stamps

logger = logging.getLogger(__name__)

USES = ("channel",)
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

# Containers that store a count of frames. For the others OpenCV says duration times rate, which is
# no count where the intervals vary: there the time that is reached decides.
COUNTING = {"AVI", "MP4/MOV", "old MOV", "old MOV, index last"}
# Containers whose stamps are whole milliseconds, or hundredths of a second.
COARSE = {"Matroska/WebM": "1 ms", "WMV/ASF": "1 ms", "FLV": "1 ms", "GIF": "10 ms"}
# Healthy files may miss the header's count by one (a last frame without duration): a note. More is
# an error.
COUNT_SLACK = 2
CHANNELS = {"blue": 0, "green": 1, "red": 2}

Convert = Callable[[np.ndarray, np.ndarray], None]


def _copy(image: np.ndarray, into: np.ndarray) -> None:
    into[...] = image


def _luma(image: np.ndarray, into: np.ndarray) -> None:
    cv2.cvtColor(image, cv2.COLOR_BGR2GRAY, dst=into)


def _thrice(image: np.ndarray, into: np.ndarray) -> None:
    into[...] = image[..., None]


def _channel(index: int) -> Convert:
    def take(image: np.ndarray, into: np.ndarray) -> None:
        into[...] = image[..., index]

    return take


class _Way(NamedTuple):
    """How the decoder's image becomes what is handed out.

    Attributes
    ----------
    raw : bool
        The decoder's own first plane is taken, not BGR.
    convert : callable
        Writes (decoder's image, place for what is handed out).
    note : str
        How a pixel becomes a number.
    channels : int
        1 or 3.
    """

    raw: bool
    convert: Convert
    note: str
    channels: int = 1


class _Block(NamedTuple):
    """What one call of :meth:`Video._fill` got."""

    frames: np.ndarray
    time_s: np.ndarray
    complaints: list[str]


def container_of(path: Path) -> str:
    """Name of the container, by its content; "unknown" if only FFmpeg knows it."""
    with path.open("rb") as file:
        head = file.read(HEAD_BYTES)
    best = max(SIGNATURES, key=lambda name: matching_bytes(head, SIGNATURES[name]))
    return best if matching_bytes(head, SIGNATURES[best]) else "unknown"


def _luma_is_gray(path: Path, converted: np.ndarray) -> bool:
    """True if the luma plane of the first frame equals all three channels of the converted one."""
    luma = decoder.first_image(path, raw=True)
    return (
        luma is not None
        and luma.dtype == converted.dtype
        and luma.shape == converted.shape[:2]
        and all(np.array_equal(luma, converted[..., channel]) for channel in range(3))
    )


def _way(path: Path, stream: Stream, image: np.ndarray, settings: Settings) -> _Way:
    """Choose how pixels become numbers; `image` is the first frame as BGR."""
    if stream.pixel in (GRAY8, GRAY16):
        if settings.colour:
            return _Way(True, _thrice, "gray levels as stored, the same in all channels", 3)
        return _Way(True, _copy, "gray levels as stored")
    if settings.colour:
        return _Way(False, _copy, "8-bit blue, green and red as decoded", 3)
    if settings.channel != "gray":
        convert = _channel(CHANNELS[settings.channel])
        return _Way(False, convert, f"{settings.channel} channel of the decoded 8-bit BGR")
    if stream.codec == b"MJPG" and _luma_is_gray(path, image):
        return _Way(True, _copy, "luma plane of a gray MJPEG")
    return _Way(False, _luma, "8-bit BGR to gray by BT.601 weights")


def _transparent_pixels(path: Path) -> int:
    """Transparent pixels of the first frame; 0 where pictures cannot be transparent."""
    image = decoder.first_image(path, raw=True)
    if image is None or image.ndim != 3 or image.shape[2] != 4:
        return 0
    return int(np.count_nonzero(image[..., 3] < 255))


class Video:
    """An open video; see :class:`plumenav.recordings._contract.Recording`."""

    def __init__(self, path: Path, settings: Settings) -> None:
        self.path = path
        self.notes: list[str] = []
        self._container = container_of(path)
        self._damage: tuple[int, float] | None = None
        self._damage_sought = False
        stream, image, transparent = None, None, 0
        with decoder.listening() as said:
            capture = decoder.open_capture(path, raw=False)
            if capture.isOpened():
                stream = decoder.stream_of(capture)
            capture.release()
            if stream is not None and stream.height * stream.width <= decoder.LARGEST_PIXELS:
                image = decoder.first_image(path, raw=False)
            if stream is not None and image is not None:
                self._way = _way(path, stream, image, settings)
                if self._way.raw:
                    image = decoder.first_image(path, raw=True)
                if stream.pixel == b"BGRA":
                    transparent = _transparent_pixels(path)
        if stream is None or image is None:
            raise self._unreadable(stream, said)
        self._seen = (image.shape, image.dtype)
        self.facts = self._facts(stream, image)
        self._describe(stream, transparent)

    # ------------------------------------------------------------------------------ header

    def _facts(self, stream: Stream, image: np.ndarray) -> Facts:
        layout, bits = decoder.picture_format(stream.pixel)
        extra: dict[str, Any] = {
            "container": self._container,
            "codec": decoder.codec_name(stream.codec),
            "pixel_format": layout,
            "bits_per_channel": bits,
            "rotation_deg": stream.rotation_deg,
        }
        return Facts(
            reader="video",
            decoder="OpenCV FFmpeg",
            decoder_version=decoder.decoder_version(),
            frames_header=self._promise(stream.frames),
            rate_hz=float(stream.rate_hz) if 0 < stream.rate_hz < 1e6 else None,
            height=image.shape[0],
            width=image.shape[1],
            dtype=str(image.dtype),
            bits=image.dtype.itemsize * 8,
            format=f"{self._container}, {extra['codec']}",
            channels=self._way.channels,
            extra=extra,
        )

    def _promise(self, count: float) -> int | None:
        """Frames that the header promises; None if it promises none, or what cannot be."""
        if not 0 < count < 2**62:
            return None
        if count > self.path.stat().st_size:  # no frame takes less than a byte
            self._say(f"the header promises {count:.0f} frames, more than the file has bytes")
            return None
        return int(count)

    def _describe(self, stream: Stream, transparent: int) -> None:
        self._say(self._way.note)
        bits = self.facts.extra["bits_per_channel"]
        if bits > 8 and self.facts.dtype == "uint8":
            self._say(f"the file has {bits} bits per channel, the decoder gives 8")
            logger.warning("%s: %s", self.path.name, self.notes[-1])
        if stream.rotation_deg:
            self._say(f"turned by {stream.rotation_deg:g} degrees, as the file's flag asks")
        if self._container in COARSE:
            self._say(f"time stamps are in steps of {COARSE[self._container]}")
        if transparent:
            self._say(
                f"{transparent} pixels of the first frame are transparent; they are handed out in"
                " the colour that the decoder gives them (white)"
            )

    def _say(self, note: str) -> None:
        if note not in self.notes:
            self.notes.append(note)

    def _unreadable(self, stream: Stream | None, complaints: list[str]) -> DamageError:
        said = f" (the decoder says: {complaints[0]})" if complaints else ""
        what = "holds no video that can be opened"
        if stream is not None:
            what = "is opened but gives no frame"
            if stream.height * stream.width > decoder.LARGEST_PIXELS:
                what = f"claims pictures of {stream.height:.0f} x {stream.width:.0f} pixels"
        promised = f" of {stream.frames:.0f} promised" if stream and stream.frames > 0 else ""
        return DamageError(
            str(self.path),
            f"{what}{said}: 0 frames{promised} (0 s) are readable",
            "a complete video with at least one frame",
            "The file may be cut off before its index, have no picture track or an unknown codec:"
            " copy it again from the camera, or convert it (FFV1 or MJPEG in AVI).",
            readable=0,
            promised=int(stream.frames) if stream and 0 < stream.frames < 2**31 else None,
        )

    # ------------------------------------------------------------------------------ frames

    def blocks(self, first: int = 0, end: int | None = None) -> Iterator[Frames]:
        """Frames in order; see the contract."""
        facts = self.facts
        itemsize = np.dtype(facts.dtype).itemsize * facts.channels
        per_block = frames_per_block(facts.height, facts.width, itemsize)
        with decoder.listening() as opening:
            capture = decoder.open_capture(self.path, self._way.raw)
        stamps = Stamps(facts.rate_hz)
        number, alone = 0, False
        try:
            while end is None or number < end:
                part = first - number if number < first else per_block
                wanted = min(part, per_block, (end or 2**62) - number)
                block = self._fill(capture, wanted, number)
                if block.complaints:
                    self._refuse_damage(block.complaints, number, end)
                n = len(block.frames)
                time_s = stamps.mended(block.time_s)
                if n and number >= first:
                    yield Frames(number, time_s, block.frames)
                number += n
                guard.progress(number, stamps.last_s)
                if n == wanted:
                    continue
                if end is None or not self._damage_sought or alone:
                    break
                # a decoder with several threads drops what it has in hand where it stumbles
                alone = True
                capture.release()
                capture = self._after(number)
        finally:
            capture.release()
        self.notes += [note for note in stamps.notes() if note not in self.notes]
        self._check_count(number, stamps, first, end, opening)

    def _after(self, number: int) -> cv2.VideoCapture:
        """A decoder with one thread that has gone through the first `number` frames."""
        with decoder.listening():
            capture = decoder.open_capture(self.path, self._way.raw, threads=1)
            for _ in range(number):
                capture.grab()
        return capture

    def _fill(self, capture: cv2.VideoCapture, wanted: int, number: int) -> _Block:
        """Decode up to `wanted` frames; fewer arrive only at the end of the file, or at damage."""
        facts, convert = self.facts, self._way.convert
        shape = (facts.height, facts.width, 3)[: 3 if facts.channels == 3 else 2]
        frames = np.empty((wanted, *shape), facts.dtype)
        time_s = np.empty(wanted)
        n = 0
        changed = ""
        with decoder.listening() as said:
            while n < wanted:
                arrived, image = capture.read()
                if not arrived:
                    break
                if (image.shape, image.dtype) != self._seen:
                    changed = f"frame {number + n} is {image.shape} of {image.dtype}"
                    break
                convert(image, frames[n])
                time_s[n] = capture.get(cv2.CAP_PROP_POS_MSEC) / 1000.0
                n += 1
        return _Block(frames[:n], time_s[:n], said + ([changed] if changed else []))

    # ------------------------------------------------------------------------------ damage

    def _refuse_damage(self, complaints: list[str], number: int, end: int | None) -> None:
        if not self._damage_sought:
            self._damage_sought = True
            self._damage = decoder.first_damage(self.path, self._way.raw, self._seen)
        if end is not None and (self._damage is None or end <= self._damage[0]):
            return  # it lies behind the last frame that is asked for
        n, seconds = self._damage or (number, 0.0)
        raise self._cut_off(n, seconds, f"is damaged (the decoder says: {complaints[0]})")

    def _cut_off(self, n: int, seconds: float, why: str) -> DamageError:
        promised = f" of {self.facts.frames_header}" if self.facts.frames_header else ""
        return DamageError(
            str(self.path),
            f"{why}: {n} frames{promised} ({seconds:.3f} s) are readable",
            "a complete, undamaged video",
            "Copy it again from the camera"
            + (
                f", or use the sound part with reader.frames: [0, {n}] or"
                " reader.on_damage: truncate."
                if n > 1
                else "."
            ),
            readable=n,
            readable_s=seconds if n else None,
            promised=self.facts.frames_header,
        )

    def _check_count(
        self, number: int, stamps: Stamps, first: int, end: int | None, opening: list[str]
    ) -> None:
        short = self._ends_early(number, stamps)
        if end is None and (short or is_cut_off(self.path, self._container)):
            # not every decoder complains of half a picture: the last one is not vouched for
            raise self._cut_off(max(0, number - 1), stamps.before_last_s, "ends early")
        if number < (first + 1 if end is None else end):
            raise UserError(
                str(self.path),
                f"holds {number} frames ({stamps.last_s:.3f} s)",
                f"the frames [{first}, {'end' if end is None else end}) that are asked for",
                "Correct the range of frames in the config.",
            )
        if end is not None:
            return
        promised = self.facts.frames_header
        if opening and promised is None:
            why = f"may be cut off (the decoder says: {opening[0]})"
            raise self._cut_off(number, stamps.last_s, why)
        if opening:
            self._say(f"the decoder says at the start: {opening[0]}")
        if lacks_end_code(self.path, self._container):
            self._say("the stream has no end code: it may be cut off within its last picture")
        if promised is not None and number != promised:
            self._say(f"the header promises {promised} frames, {number} arrived")

    def _ends_early(self, number: int, stamps: Stamps) -> bool:
        promised, rate = self.facts.frames_header, self.facts.rate_hz
        if promised is None or promised - number <= COUNT_SLACK:
            return False
        if self._container in COUNTING or rate is None:
            return True
        slack_s = max(COUNT_SLACK / rate, stamps.longest_s)
        return stamps.last_s - stamps.first_s + 1.0 / rate < promised / rate - slack_s

    def close(self) -> None:
        """Nothing stays open between calls."""


def open(path: Path, settings: Settings) -> Video:
    """Open a video.

    Parameters
    ----------
    path : Path
    settings : Settings
        Used: `channel`, `colour`.

    Returns
    -------
    Video

    Raises
    ------
    DamageError
        If no frame can be read.
    """
    return Video(path, settings)
