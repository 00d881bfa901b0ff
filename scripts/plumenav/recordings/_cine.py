"""Header of a Phantom .cine file: the camera's own clock and depth, which FFmpeg does not hand out.

FFmpeg takes the header's frame rate for the clock. That is the rate at which the camera ran; where
every tenth image was saved, it is ten times too high, and the stamps of the saved images tell.

Layout (little-endian; Vision Research, "The Cine File Format"): a header of 44 bytes with the
number of saved images and the places of SETUP and of the images' index; SETUP ("ST" and its length
at byte 140) with the frame rate at byte 768 and the depth at 896; then tagged blocks (length, type,
reserved), of which type 1002 holds one time per image in 2**-32 s, its two lowest bits being flags.
"""

from __future__ import annotations

import struct
from pathlib import Path
from typing import NamedTuple

import numpy as np

SIGNATURE = b"CI\x2c\x00"
HEADER = struct.Struct("<2sHHHiIiIIIIII")
SETUP_MARK, SETUP_RATE, SETUP_DEPTH = 140, 768, 896
TIMES_BLOCK = 1002
# A file of more tagged bytes than this is not one that a camera wrote.
LARGEST_TAGS = 2**28


class CineHeader(NamedTuple):
    """What the header says.

    Attributes
    ----------
    rate_hz : int
        Frames per second at which the camera ran.
    bits : int
        Depth of the sensor; the camera may have spread its numbers over 16 bits.
    time_s : ndarray, shape (images,), or None
        Time of each saved image since the first one, s; None if the camera stored none.
    """

    rate_hz: int
    bits: int
    time_s: np.ndarray | None


def _times(tags: bytes, images: int) -> np.ndarray | None:
    """Times of the images, s since the first one."""
    at = 0
    while at + 8 <= len(tags):
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


def read_header(path: Path) -> CineHeader | None:
    """Header of a .cine file, or None if the file is of another kind or its header is damaged.

    Parameters
    ----------
    path : Path

    Returns
    -------
    CineHeader or None
    """
    with open(path, "rb") as file:
        head = file.read(HEADER.size)
        if len(head) < HEADER.size or not head.startswith(SIGNATURE):
            return None
        *_, images, _, setup_at, index_at, _, _ = HEADER.unpack(head)
        file.seek(setup_at)
        setup = file.read(SETUP_DEPTH + 4)
        if len(setup) < SETUP_DEPTH + 4 or setup[SETUP_MARK : SETUP_MARK + 2] != b"ST":
            return None
        tags_at = setup_at + struct.unpack_from("<H", setup, SETUP_MARK + 2)[0]
        file.seek(tags_at)
        tags = file.read(min(max(0, index_at - tags_at), LARGEST_TAGS))
    return CineHeader(
        struct.unpack_from("<I", setup, SETUP_RATE)[0],
        struct.unpack_from("<I", setup, SETUP_DEPTH)[0],
        _times(tags, images) if images else None,
    )
