"""Whether a video file ends inside its pictures: decoders do not say so of every codec.

Only the outermost boxes are looked at, so that it costs next to nothing. A cut inside an index that
follows the pictures is none here: the pictures are complete.

Sources: CompuServe, "Graphics Interchange Format, version 89a"; Microsoft, "AVI RIFF File
Reference" and "OpenDML AVI File Format Extensions"; ISO/IEC 14496-12, "ISO base media file format".
"""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

# More boxes than this are not looked at: a healthy file has a handful.
MOST_BOXES = 100_000
MPEG_END = b"\x00\x00\x01\xb9"


def _riff_ends(file: BinaryIO, size: int) -> Iterator[int]:
    """Where the lists of pictures of an AVI file end, by their own account."""
    at = 0
    for _ in range(MOST_BOXES):
        if at + 12 > size:
            return
        file.seek(at)
        name, length, kind = struct.unpack("<4sI4s", file.read(12))
        if name == b"RIFF":
            at += 12  # into it
            continue
        if name == b"LIST" and kind == b"movi":
            yield at + 8 + length
        at += 8 + length + length % 2


def _mp4_ends(file: BinaryIO, size: int) -> Iterator[int]:
    """Where the boxes of pictures of an MP4 or MOV file end, by their own account."""
    at = 0
    for _ in range(MOST_BOXES):
        if at + 16 > size:
            return
        file.seek(at)
        length, name, long_length = struct.unpack(">I4sQ", file.read(16))
        if length == 1:
            length = long_length
        if length < 8:  # 0: to the end of the file; others cannot be
            return
        if name == b"mdat":
            yield at + length
        at += length


def _skip_gif_blocks(data: bytes, at: int) -> int:
    """Behind a chain of blocks that begin with their length; behind the data if they are cut."""
    while at < len(data) and data[at]:
        at += 1 + data[at]
    return at + 1


def _gif_ends(file: BinaryIO, size: int) -> Iterator[int]:
    """Where a GIF file ends: the trailer, or one byte behind the file if that is missing."""
    data = file.read()
    at = 13 + (3 << (data[10] % 8 + 1) if size > 10 and data[10] & 128 else 0)
    while at < size:
        if data[at] == 0x21:  # extension
            at = _skip_gif_blocks(data, at + 2)
        elif data[at] == 0x2C and at + 10 < size:  # picture
            table = 3 << (data[at + 9] % 8 + 1) if data[at + 9] & 128 else 0
            at = _skip_gif_blocks(data, at + 10 + table + 1)
        else:
            # the trailer, or damage that is the decoder's to tell
            yield at + 1
            return
    yield size + 1


ENDS = {
    "GIF": _gif_ends,
    "AVI": _riff_ends,
    "MP4/MOV": _mp4_ends,
    "old MOV": _mp4_ends,
    "old MOV, index last": _mp4_ends,
}


def is_cut_off(path: Path, container: str) -> bool:
    """True if the file is shorter than its own account of where its pictures end.

    Parameters
    ----------
    path : Path
    container : str
        A key of the video reader's SIGNATURES.

    Returns
    -------
    bool
        False also for containers that are not looked into.
    """
    if container not in ENDS:
        return False
    size = path.stat().st_size
    with path.open("rb") as file:
        return any(end > size for end in ENDS[container](file, size))


def lacks_end_code(path: Path, container: str) -> bool:
    """True if an MPEG program stream ends without saying so: it may be cut off, or be recorded so.

    Parameters
    ----------
    path : Path
    container : str
        A key of the video reader's SIGNATURES.

    Returns
    -------
    bool
        False for other containers.
    """
    if container != "MPEG program":
        return False
    with path.open("rb") as file:
        file.seek(-min(64, path.stat().st_size), os.SEEK_END)
        return not file.read().rstrip(b"\0").endswith(MPEG_END)
